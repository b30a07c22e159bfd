"""Encoding of structures and arrays as bytes."""
