"""Subscribing: the filters of a session, and which delivery of a message counts if several of them match it."""
