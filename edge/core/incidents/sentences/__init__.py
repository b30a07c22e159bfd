"""The sentences in events that describe incidents to people."""
