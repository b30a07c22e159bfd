"""What several commands share: their common options, the values of options, and how rows are written.

places       which configuration and which store a command reads
values       globs on sensor names, severities, and the words of events as values of options
"""
