"""The running service: what it last said of itself, whether it is well, and telling it something."""
