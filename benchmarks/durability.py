"""The cost of durability: bytes written per reading, recovery time, and `power` against `process`.

    python benchmarks/durability.py

The service's own loop runs with a clock faster than the wall clock, over a link that delivers readings as a broker
does, with an in-flight window. Bytes are those that the process passes to the kernel (`wchar`), so they include the
write-ahead log, its checkpoints, and snapshots.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from config.loading import parse
from edge.capacity.machine import bytes_written
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant, LoadReading
from edge.core.model.notation.topics import Topics
from edge.core.persistence.journal import pack
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.snapshot_policy import SnapshotPolicy
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore, StoreLimits
from edge.shell.system.wall_clock import WallClock

SENSORS = 100
CONFIGURATION = '[[input]]\ntopic = "plant/#"\nsensor = "{topic}/{field}"\n'
CHANGED = '[[rule]]\nsensors = "**"\ndetectors.ewma.memory = 333\n'


def message(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
    """A message with readings of one device."""
    fields = [{"ts": each.time, f"s{each.sensor}": each.value} for each in readings]
    return "plant/all", msgspec.json.encode(fields[0] if len(fields) == 1 else fields)


def run(path: Path, rate: float, seconds: float, in_flight: int, pack_size: int) -> tuple[int, int]:
    """Run the service, and return the number of readings it took and the bytes it wrote."""
    configuration = parse(CONFIGURATION, "benchmark").configuration
    clock = Clock()
    plant = LoadPlant(SENSORS, rate, message, pack_size)
    link: Any = FreeLink(plant, clock, in_flight)
    store = SqliteStore(path)
    wall = WallClock(0.0, None, lambda: START + clock.now, clock)
    options = ServiceOptions(Topics("edgewarden/benchmark"), in_flight=in_flight)
    service = Service(make_pipeline(configuration), store, link, link, options, clock=wall, monotonic=clock)
    before = bytes_written() or 0
    while clock.now < seconds:
        service._turn()  # noqa: SLF001 - the loop's body
    after = bytes_written() or 0
    store.close()
    return plant.sent, after - before


def bytes_per_reading(folder: Path) -> None:
    """Print the table of bytes per reading."""
    print(f"{'readings/s':>10}  {'in flight':>9}  {'a message':>9}  {'readings':>9}  {'bytes a reading':>15}")
    for rate, seconds, in_flight, pack_size in (
        (1, 7200, 20, 1),
        (100, 1800, 20, 1),
        (100, 1800, 1000, 1),
        (10_000, 60, 1000, 100),
        (10_000, 60, 1000, 10),
    ):
        path = folder / f"{rate}-{in_flight}-{pack_size}.db"
        readings, size = run(path, rate, seconds, in_flight, pack_size)
        print(f"{rate:>10}  {in_flight:>9}  {pack_size:>9}  {readings:>9}  {size / readings:>15.0f}", flush=True)


def recovery(folder: Path) -> None:
    """Print the recovery time with the longest possible journal, after the snapshot and entirely before it."""
    configuration = parse(CONFIGURATION, "benchmark").configuration
    digest, inputs = configuration.digest(), configuration.inputs_digest()
    path = folder / "recovery.db"
    store = SqliteStore(path, "process", StoreLimits(journal_bytes=2**40))
    pipeline = make_pipeline(configuration)
    plant = LoadPlant(SENSORS, 100, message, 100)
    entries: list[bytes] = []
    policy = SnapshotPolicy()
    while not policy.is_due:
        parts = [part for part in [pipeline.process(plant.until(len(entries) + 1.0, 10)).journal] if part is not None]
        entries.append(pack(parts))
        policy.committed(parts)
    average = sum(map(len, entries)) / len(entries)
    fill = int(128 * 2**20 / average)
    connection = store._database  # noqa: SLF001 - filled faster than a service would
    with connection.transaction():
        connection.execute_each(
            "INSERT INTO journal (arrived, entry) VALUES (?, ?)",
            ((START, entries[number % len(entries)]) for number in range(fill)),
        )
    store.remember(make_pipeline(configuration).save(digest, inputs), digest, START)
    for entry in entries:
        store.append([], [], entry, now=START)
    store.close()
    print(f"\njournal: {path.stat().st_size / 2**20:.0f} MiB, {plant.sent:,} readings after the snapshot")
    timed("open and resume", path, CONFIGURATION)
    store = SqliteStore(path, "process")
    store.remember(pipeline.save(digest, inputs), digest, START)
    store.close()
    timed("with the snapshot just written", path, CONFIGURATION)
    timed("one detector changed, learning from the journal", path, CHANGED + CONFIGURATION)


def timed(what: str, path: Path, text: str) -> None:
    """Print the median time of several recoveries, each from a copy of the file: a long one shortens the next."""
    configuration = parse(text, "benchmark").configuration
    times = []
    for _ in range(3):
        copy = Path(shutil.copy(path, path.with_suffix(".copy")))
        began = time.perf_counter()
        store = SqliteStore(copy, "process")
        resume(
            lambda: make_pipeline(configuration), store, configuration.digest(), configuration.inputs_digest(), START
        )
        times.append(time.perf_counter() - began)
        store.close()
    print(f"{what}: {median(times):.2f} s", flush=True)


def commits(folder: Path) -> None:
    """Print the cost of `power` and `process`, measured alternately in one run."""
    entry = random.Random(1).randbytes(1200)
    stores = {each: SqliteStore(folder / f"{each}.db", each) for each in ("power", "process")}
    times: dict[str, list[float]] = {each: [] for each in stores}
    for _ in range(10):
        for name, store in stores.items():
            began = time.perf_counter()
            for _ in range(100):
                store.append([], [], entry, now=START)
            times[name].append((time.perf_counter() - began) / 100)
    power, process = median(times["power"]), median(times["process"])
    print(
        f"\na commit of 1.2 kB: power {power * 1e3:.2f} ms, process {process * 1e3:.2f} ms, ratio {power / process:.1f}"
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description="What durability costs.")
    parser.add_argument("--only", choices=["bytes", "recovery", "commits"])
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("bytes", bytes_per_reading), ("recovery", recovery), ("commits", commits)):
            if only in (None, name):
                part(Path(folder))


if __name__ == "__main__":
    main()
