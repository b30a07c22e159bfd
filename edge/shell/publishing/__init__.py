"""The outbox to the broker: events, retained topics, answers."""
