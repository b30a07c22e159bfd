"""Readings from CSV files."""
