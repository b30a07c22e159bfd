"""Notations of numbers and times in text."""
