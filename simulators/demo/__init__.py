"""The demo: a broker, the service, a simulated plant, and a consumer that shows the events."""
