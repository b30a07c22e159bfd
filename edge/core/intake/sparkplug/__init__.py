"""Sparkplug B: a host application's state of edge nodes, and its rebirth requests.

sequence.py   which messages of a node are missing
nodes.py      what births have said: names, aliases, datatypes, units
rebirths.py   when a node is asked for its birth certificate, and how
session.py    from messages to samples

Source: Sparkplug 3.0.0, <https://sparkplug.eclipse.org/specification/>.
"""
