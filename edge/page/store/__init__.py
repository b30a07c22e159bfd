"""What the page reads from the store: events, dead letters, and a sensor's past as a plot."""
