"""Readings and their time: messages, batches, rounds, pauses, the stream clock."""
