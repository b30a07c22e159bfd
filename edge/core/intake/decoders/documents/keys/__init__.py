"""Keys of objects: those that contain a time or a quality, and those that aren't text."""
