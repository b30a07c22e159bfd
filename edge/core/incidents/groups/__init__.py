"""Incidents that have one cause are told as one."""
