"""The signals that make up a sensor's values: seasons, machines, noise, and faults."""
