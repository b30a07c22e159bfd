"""What the operating system offers: clock, signals, systemd, log lines."""
