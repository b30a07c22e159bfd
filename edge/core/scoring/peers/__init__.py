"""Peers: like sensors that move together, and how far each usually is from the others."""
