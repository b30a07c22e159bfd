"""Finding what is wrong with a configuration: each problem with its key, its line, and what would be right."""
