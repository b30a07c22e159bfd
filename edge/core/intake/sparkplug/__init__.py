"""Sparkplug B: a host application's state of edge nodes, and its rebirth requests.

sequence.py   missing messages of a node
nodes.py      the content of births: names, aliases, datatypes, units
metrics.py    the metrics of a message, by name or alias
rebirths.py   when and how a node gets a rebirth request
session.py    from messages to samples

Source: Sparkplug 3.0.0, <https://sparkplug.eclipse.org/specification/>.
"""
