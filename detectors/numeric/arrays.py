"""Array types: one element per reading of a round, or a scalar for a single reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]

Arrays = Mapping[str, NDArray[Any]]
"""The complete arrays of a state, all rows."""

Numbers = Any
"""`Floats` with one element per reading, or a float for a single reading."""

Rows = Any
"""`Slots` with one element per reading, or an int for a single reading."""
