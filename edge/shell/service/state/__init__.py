"""State across restarts: stored state, snapshots, relearning."""
