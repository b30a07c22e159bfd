"""The data of the views as JSON: incidents, sensors, history, refused input."""
