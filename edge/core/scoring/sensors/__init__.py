"""Facts about each sensor other than what its detectors have learned."""
