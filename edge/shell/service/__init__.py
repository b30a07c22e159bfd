"""The service's loop: starting, reloading, and resuming from its store."""
