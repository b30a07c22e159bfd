"""Files written for an operator: configurations, inputs, the systemd unit."""
