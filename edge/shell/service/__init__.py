"""The loop that walks the line, and how it starts, reloads and goes on from its store."""
