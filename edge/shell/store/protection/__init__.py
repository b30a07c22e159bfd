"""What protects the file: one owner, permissions, and a log whose frames are whole."""
