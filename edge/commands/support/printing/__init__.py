"""How commands print: tables, wrapped text, durations, progress."""
