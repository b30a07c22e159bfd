"""Incidents with a common cause are reported as one."""
