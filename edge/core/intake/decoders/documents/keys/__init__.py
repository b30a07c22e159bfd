"""Keys of objects: those that contain a time, and those that aren't text."""
