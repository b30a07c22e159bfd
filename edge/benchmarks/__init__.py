"""Public benchmarks: reading their folders, running a detector as it would run live, scoring by their own rules."""
