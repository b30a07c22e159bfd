"""Notation of values: topics, filters and names of sensors; hosts; times of the week."""
