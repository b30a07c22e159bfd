"""The plant: devices, sensors, and the signals that make up their values."""
