"""Components of a snapshot that need more than a line."""
