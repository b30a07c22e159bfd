"""Events: every change of an incident, gaps, and what is told of sensors."""
