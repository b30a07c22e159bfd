"""Reading the store for the page: events, dead letters, and plots of a sensor's past."""
