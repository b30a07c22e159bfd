"""Recognition of payload formats by content type or by content."""
