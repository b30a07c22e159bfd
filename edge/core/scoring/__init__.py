"""Readings to scores and levels: profiles, sensor statistics, alarm levels, devices."""
