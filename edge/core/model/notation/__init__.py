"""How names, globs, topics, numbers and severities are written and read."""
