"""Adapters to engines that run cells; each is a file. `keyed_cells.py` is what they have in common."""
