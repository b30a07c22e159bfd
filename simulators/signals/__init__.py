"""What a sensor's values are made of: seasons, machines, noise, and the faults that disturb them."""
