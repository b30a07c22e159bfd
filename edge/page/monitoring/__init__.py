"""For monitoring systems: `/metrics` for Prometheus, `/health` for a container, and the health view."""
