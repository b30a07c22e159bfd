"""Senders: what the messages of a topic tell of who sends them, and of their clocks; both are sampled."""
