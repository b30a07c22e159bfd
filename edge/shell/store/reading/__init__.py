"""Read-only access to a store, from another process or beside the loop."""
