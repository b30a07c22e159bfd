"""Assembly: creates the parts of the service from the tables of a configuration."""
