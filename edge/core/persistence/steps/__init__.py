"""Steps: the outcome of messages or a command, committed as a whole."""
