"""Validation of a configuration: each problem with its key, its line, and a correction."""
