"""Incidents: converts scores to incidents and events, by state machine, tracker, sentences, events and gaps."""
