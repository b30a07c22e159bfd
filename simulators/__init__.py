"""A plant that isn't there: signals, labelled faults, and publishers that any broker understands."""
