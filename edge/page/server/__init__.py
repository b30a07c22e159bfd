"""The thread, its server and the addresses."""
