"""Cells: the pipeline for a part of a plant's sensors, with how far it has read in each log; see `cell.py`."""

from edge.core.cells.cell import Cell, CellPlan, CellStateError
from edge.core.cells.placing import Placing

__all__ = ["Cell", "CellPlan", "CellStateError", "Placing"]
