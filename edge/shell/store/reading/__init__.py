"""Read-only access to a store, from another process or thread."""
