"""Events: incident transitions, gaps, and sensors found or forgotten."""
