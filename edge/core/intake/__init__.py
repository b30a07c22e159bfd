"""Bytes to readings: routes, decoders, redeliveries, reordering, admission."""
