"""Delivery to a sink: thread, failures, pauses and progress."""
