"""Scoring: converts readings to scores and levels, by profiles, sensor statistics, alarm levels and devices."""
