"""What is known of each sensor beside what its detectors have learned."""
