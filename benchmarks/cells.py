"""Cells over a folder: what a worker needs for them, in CPU time, memory and storage.

The columns are: sensors, cells, readings, readings per second of CPU time, bytes of state per sensor, of entries per
reading and of memory per sensor, and microseconds of CPU time per sensor to save the state.

python benchmarks/cells.py [SENSORS [CELLS [BATCHES]]]
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from config.loading import parse
from edge.core.model.readings.messages import Reading
from edge.fleet.folder_store import FolderStore
from edge.fleet.host import CellHost, LogPortion
from edge.fleet.plan import plan_of
from edge.fleet.store import Head

START = 1_700_000_000.0
INTERVAL_S = 10.0
ROUNDS = 10
"""Readings of each sensor in a batch."""


class Measured(FolderStore):
    """A folder store that counts the bytes written."""

    entry_bytes = 0

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        self.entry_bytes += len(entry)
        super().append(cell, entry, before, nonce)


def batches(names: list[str], count: int) -> Iterator[list[Reading]]:
    """Readings of all sensors in order of time, `count` rounds per batch."""
    noise = random.Random(1)
    for batch in range(count):
        yield [
            Reading(name, START + INTERVAL_S * (ROUNDS * batch + turn), 20.0 + noise.gauss(0.0, 0.2))
            for turn in range(ROUNDS)
            for name in names
        ]


def resident() -> int:
    """Resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main(sensors: int = 1000, cells: int = 8, count: int = 20) -> None:
    """Measure, and print a row of the table."""
    plan = plan_of(parse('[[input]]\ntopic = "#"\n', "cells").configuration, cells)
    names = [f"plant/device{each // 5}/field{each % 5}" for each in range(sensors)]
    with tempfile.TemporaryDirectory() as folder:
        store = Measured(Path(folder))
        before = resident()
        host, spent, offset = CellHost(plan, store, live=cells), 0.0, 0
        for batch in batches(names, count):
            shares: dict[int, list[int]] = {}
            for place, each in enumerate(batch):
                shares.setdefault(plan.placing.cell(each.sensor), []).append(place)
            began = time.process_time()
            for cell, places in shares.items():
                portion = LogPortion(
                    "log", [offset + each for each in places], readings=[batch[each] for each in places]
                )
                host.run(cell, [portion], batch[-1].time)
            spent += time.process_time() - began
            offset += len(batch)
        grown, began = resident() - before, time.process_time()
        state = sum(len(cell.state()) for _, cell in host._live.values())  # noqa: SLF001 - a measurement may look inside
        saving = time.process_time() - began
    readings = sensors * ROUNDS * count
    print(
        f"| {sensors:,} | {cells} | {readings:,} | {readings / spent:,.0f} | {state / sensors:,.0f} |"
        f" {store.entry_bytes / readings:.1f} | {grown / sensors:,.0f} | {1e6 * saving / sensors:,.0f} |"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
