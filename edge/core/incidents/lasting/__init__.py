"""What lasts: the course of an incident, faults that come and go, and levels that are adopted."""
