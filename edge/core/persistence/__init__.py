"""Persistent state of the core: journal, snapshots, replay, relearning."""
