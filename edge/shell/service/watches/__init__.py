"""What the service watches beside the readings: its own clock, its connections, rivals."""
