"""How events are delivered to a sink: its thread, its failures, its pauses and its progress."""
