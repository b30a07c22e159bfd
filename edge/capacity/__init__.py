"""What this machine carries."""
