"""Protection of the file: one owner, permissions, and a log with intact frames."""
