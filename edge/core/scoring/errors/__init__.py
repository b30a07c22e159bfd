"""Error values: numbers that stand for no reading."""
