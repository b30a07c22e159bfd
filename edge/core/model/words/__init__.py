"""Words read or written by people: names, globs, topics, numbers, severities."""
