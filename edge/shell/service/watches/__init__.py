"""Watches of the service besides the readings: the gateway's clock, connections, rivals."""
