"""Scores to incidents to events: state machine, tracker, sentences, events, gaps."""
