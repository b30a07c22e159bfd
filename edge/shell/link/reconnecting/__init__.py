"""Connections that end: why, the pause before the next one, and whether another client uses the same ID."""
