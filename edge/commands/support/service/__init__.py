"""The running service: its last report, its health, and commands to it."""
