"""Publishing to the broker: the outbox with events, retained topics, answers."""
