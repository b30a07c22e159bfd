"""Shared parts of commands: common options, types of option values, and tables.

places         which configuration and which store a command reads
values         globs on sensor names, severities, and the words of events as values of options
service_state  whether a service works on a store, and what it last said of itself
well_being     whether a running service does what it should
tables         rows in columns, within the width of the terminal
durations      ages, times, numbers and sizes as a person reads them
"""
