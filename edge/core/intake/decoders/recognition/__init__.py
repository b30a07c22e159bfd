"""What a payload is, where its input doesn't say: by its content type, or by its looks."""
