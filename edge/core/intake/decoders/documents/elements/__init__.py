"""Elements of arrays: what names them, and which of them would be merged."""
