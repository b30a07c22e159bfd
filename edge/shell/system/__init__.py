"""The operating system: clock, signals, systemd, log lines."""
