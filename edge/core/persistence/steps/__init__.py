"""Steps: what came of some messages or a command, committed as a whole."""
