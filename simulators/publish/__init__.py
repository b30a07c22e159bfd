"""From readings to messages at a pace."""
