"""Readings and their times: messages, batches, rounds, pauses, the stream clock."""
