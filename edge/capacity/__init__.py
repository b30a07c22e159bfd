"""The capacity of this machine."""
