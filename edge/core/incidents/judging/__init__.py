"""From scores to what the state machine of a sensor is told: ordinary readings, error values, counters."""
