"""Subscribing: the filters of a session, and which delivery of a message counts where several of them match it."""
