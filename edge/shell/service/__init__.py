"""The service's loop, and how it starts, reloads and resumes from its store."""
