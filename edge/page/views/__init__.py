"""What the views are made of, as JSON: incidents, sensors, history, what is refused."""
