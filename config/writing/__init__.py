"""Files that are written for an operator: configurations, inputs, the systemd unit."""
