"""Senders: fields that tell the senders of a shared topic apart, by their keys or by their values."""
