"""Words that people read or write: names, globs, topics, numbers, severities."""
