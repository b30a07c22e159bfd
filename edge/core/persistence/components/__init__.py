"""Snapshot components that need their own code."""
