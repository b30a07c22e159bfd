"""What the core remembers: journal, snapshots, replay, relearning."""
