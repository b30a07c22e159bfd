"""Components that run above gateways, in a cloud."""
