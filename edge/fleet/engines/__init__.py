"""Adapters to stream-processing engines, one file each. `keyed_cells.py` contains what they share."""
