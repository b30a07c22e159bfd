"""Structures and arrays as bytes."""
