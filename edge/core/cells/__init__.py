"""Cells: the pipeline for part of a plant's sensors, together with its read position in each log; see `cell.py`."""

from edge.core.cells.cell import Cell, CellPlan, CellStateError
from edge.core.cells.placing import Placing

__all__ = ["Cell", "CellPlan", "CellStateError", "Placing"]
