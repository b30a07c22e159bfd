"""What survives a restart: the stored state, snapshots, relearning."""
