"""Publishing: converts readings to messages and sends them at a pace."""
