"""For machines that watch: `/metrics` for Prometheus, `/health` for a container, and the health view."""
