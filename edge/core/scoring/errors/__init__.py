"""Error values: numbers sent in place of a reading."""
