"""Shared parts of commands: common options, types of option values, and tables.

places         the configuration and the store that a command reads
values         option types: globs on sensor names, severities, and the words of events
service_state  whether a service works on a store, and its last status
well_being     whether a running service is healthy
tables         rows in columns, within the width of the terminal
durations      ages, times, numbers and sizes in readable form
"""
