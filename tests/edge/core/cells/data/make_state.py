"""Writes the state of a cell and the entries after it, as this version keeps them; see `test_earlier_states.py`.

python tests/edge/core/cells/data/make_state.py NAME
"""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

import msgspec

from config.loading import parse
from edge.core.cells import Cell
from edge.core.model.readings.messages import Message
from edge.fleet.plan import plan_of

CONFIGURATION = '[gateway]\nname = "fleet"\n[[input]]\ntopic = "hall/#"\n'
SENSORS = [f"hall/press{each}/temperature" for each in range(4)]
START, KEPT, LAST = 1_700_000_000.0, 900, 1000
LOG = "hall/0"


def messages(first: int, last: int) -> list[Message]:
    """A reading a minute of each sensor; the first sensor is far off from reading 950 on."""
    found = []
    for each in range(first, last):
        for place, sensor in enumerate(SENSORS):
            value = 90.0 if each >= 950 and place == 0 else 20 + (each * 7 + place) % 5 / 10
            found.append(Message(sensor, b"%.1f" % value, START + 60 * each))
    return found


def offsets(first: int, last: int) -> range:
    return range(len(SENSORS) * first, len(SENSORS) * last)


def main(name: str) -> None:
    """Write a file beside this one."""
    cell = Cell(plan_of(parse(CONFIGURATION, "test").configuration, 1))
    cell.process(messages(0, KEPT), LOG, offsets(0, KEPT))
    state, entries = cell.state(), []
    for first in range(KEPT, LAST, 20):
        cell.process(messages(first, first + 20), LOG, offsets(first, first + 20))
        entries.append(cell.entry())
    packed = msgspec.msgpack.encode((state, entries))
    (Path(__file__).parent / f"{name}.xz").write_bytes(lzma.compress(packed))


if __name__ == "__main__":
    main(sys.argv[1])
