"""The plant: devices, sensors, and the signals that their values are made of."""
