"""What arrays hold: of a round of readings an element for each, of a single reading a plain number."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]

Numbers = Any
"""`Floats`, one a reading, or of a single reading a plain float."""

Rows = Any
"""`Slots`, one a reading, or of a single reading a plain int."""
