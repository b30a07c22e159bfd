"""Keys of objects: which hold a time, and those that are no texts."""
