"""Snapshot components with code of their own."""
