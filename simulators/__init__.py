"""A simulated plant: signals, labelled faults, and publishing to any broker."""
