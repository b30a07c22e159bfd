"""How values are written: topics, filters and names of sensors; hosts; times of the week."""
