"""From the tables of a configuration to the parts of the service."""
