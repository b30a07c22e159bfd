"""The cost of snapshots of a large plant: longest delay of a step, memory, and recovery time.

    python benchmarks/large_plant.py [--sensors 10000 50000]

Its form with 10,000 sensors is the part `large` of `bench.py`, which runs it once with `--quick`.

The service's own loop runs over a link that delivers packs of readings as a broker does, one reading per second and
sensor. The clock advances with the work that is done, and skips the service's waits. A run ends shortly before its
third snapshot would be due, as if the service had been killed, and another process recovers from its store. Each size
runs in separate processes, so that memory is measured separately.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from figures import Figure

from config.loading import parse
from edge.capacity.machine import bytes_written, resident_mib
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant, LoadReading
from edge.core.model.notation.topics import Topics
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore
from edge.shell.system.garbage import leave_out
from edge.shell.system.heap import free_large_blocks_at_once
from edge.shell.system.wall_clock import WallClock

CONFIGURATION = '[[input]]\ntopic = "plant/#"\nsensor = "{topic}/{field}"\n[limits]\nsensors = 100000\n'
PACK = 100
WARM_UP_S = 20.0
SNAPSHOTS = 2
IN_FLIGHT = 1000
MOST_STALL_MS, MOST_PEAK, MOST_KIB, MOST_RECOVERY_S = 20.0, 1.15, 12.0, 5.0
"""Goals: the delay of a step, memory while a snapshot is written relative to other times, memory of each sensor in the
plant's first minutes, and the time to reopen the store."""

LARGE = 10_000
"""Number of sensors of the benchmark's part: of few sensors the memory is mostly that of the service."""


class WorkingClock(Clock):
    """A clock that advances with the work that is done, and skips waits."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._began = time.perf_counter()

    @property
    def now(self) -> float:
        """The current time."""
        return self._skipped + time.perf_counter() - self._began

    @now.setter
    def now(self, now: float) -> None:
        self._skipped += now - self.now


def message(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
    """A message with readings of a hundred consecutive sensors."""
    fields = {f"s{each.sensor}": each.value for each in readings}
    return f"plant/{readings[0].sensor // PACK}", msgspec.json.encode({"ts": readings[0].time, **fields})


def run(path: Path, sensors: int) -> dict[str, float]:
    """Run a plant, and return the costs of its snapshots."""
    free_large_blocks_at_once()
    idle_mib = resident_mib() or 0.0
    configuration = parse(CONFIGURATION, "benchmark").configuration
    clock = WorkingClock()
    plant = LoadPlant(sensors, float(sensors), message, PACK)
    link: Any = FreeLink(plant, clock, IN_FLIGHT)
    store = SqliteStore(path)
    wall = WallClock(0.0, None, lambda: START + clock.now, clock)
    options = ServiceOptions(
        Topics("edgewarden/benchmark"), configuration.digest(), configuration.inputs_digest(), in_flight=IN_FLIGHT
    )
    service: Any = Service(make_pipeline(configuration), store, link, link, options, clock=wall, monotonic=clock)
    stalls, written = _watched(service)
    memory: list[tuple[bool, float]] = []
    while clock.now < WARM_UP_S:
        service._turn()  # noqa: SLF001 - the loop's body
    leave_out()
    stalls.clear()
    memory.clear()
    began = time.process_time() - link.cpu_s, plant.sent, bytes_written() or 0
    policy, checkpointer = service._policy, service._checkpointer  # noqa: SLF001 - looked at from outside
    while len(written) < SNAPSHOTS or policy.cost_s < 0.9 * policy.due_s:
        service._turn()  # noqa: SLF001 - the loop's body
        memory.append((checkpointer.is_writing, resident_mib() or 0.0))
    readings = plant.sent - began[1]
    rest = [mib for is_writing, mib in memory if not is_writing]
    return {
        "stall_ms": 1e3 * max(took for took, _ in stalls),
        "stall_p99_ms": 1e3 * float(np.percentile([took for took, _ in stalls], 99)),
        "stall_cpu_ms": 1e3 * max(cpu for _, cpu in stalls),
        "rest_mib": float(np.median(rest)),
        "peak_mib": max(mib for _, mib in memory),
        "snapshot_s": float(np.median(written)),
        "snapshots": len(written),
        "bytes_a_reading": ((bytes_written() or 0) - began[2]) / readings,
        "us_a_reading": 1e6 * (time.process_time() - link.cpu_s - began[0]) / readings,
        "readings": readings,
        "kib_a_sensor": 1024 * (float(np.median(rest)) - idle_mib) / sensors,
    }


def _watched(service: Any) -> tuple[list[tuple[float, float]], list[float]]:
    """Record duration and CPU time of each slice of a service's snapshots, and the total of each, in seconds."""
    stalls: list[tuple[float, float]] = []
    written: list[float] = []
    checkpointer, policy = service._checkpointer, service._policy  # noqa: SLF001 - looked at from outside
    turn, completed = checkpointer.turn, policy.completed

    def timed() -> None:
        is_busy = checkpointer.is_writing
        began = time.perf_counter(), time.thread_time()
        turn()
        if is_busy or checkpointer.is_writing:
            stalls.append((time.perf_counter() - began[0], time.thread_time() - began[1]))

    def noted(seconds: float) -> None:
        written.append(seconds)
        completed(seconds)

    checkpointer.turn, policy.completed = timed, noted
    return stalls, written


def recover(path: Path) -> dict[str, float]:
    """Recover from a store, and return the time it takes."""
    configuration = parse(CONFIGURATION, "benchmark").configuration
    began, cpu = time.perf_counter(), time.process_time()
    store = SqliteStore(path)
    opened = time.perf_counter()
    digest, inputs = configuration.digest(), configuration.inputs_digest()
    pipeline, recollection, gaps = resume(lambda: make_pipeline(configuration), store, digest, inputs, time.time())
    seconds = time.perf_counter() - began
    store.close()
    if gaps or not pipeline.sensors.sensors:
        raise SystemExit("the store wasn't recovered")
    return {
        "recovery_s": seconds,
        "recovery_cpu_s": time.process_time() - cpu,
        "open_s": opened - began,
        "entries": len(recollection.since),
        "recovered_mib": resident_mib() or 0.0,
    }


def child(what: str, path: Path, sensors: int) -> dict[str, float]:
    """Run a step in a separate process."""
    command = [sys.executable, __file__, "--do", what, "--path", str(path), "--sensors", str(sensors)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def measured(sensors: int) -> dict[str, float]:
    """Run a plant and recover from its store."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        return child("run", path, sensors) | child("recover", path, sensors)


def whole(runs: int, *, quick: bool) -> list[Figure]:
    """Figures of a large plant: delays by snapshots, memory and recovery."""
    sensors = LARGE
    found = [measured(sensors) for _ in range(1 if quick else runs)]

    def figure(what: str, unit: str, values: list[float], most: float | None = None) -> Figure:
        return Figure("large", f"{what}, {sensors:,} sensors", unit, values, most=most)

    return [
        figure("longest slice of a snapshot", "ms", [each["stall_ms"] for each in found], MOST_STALL_MS),
        figure("its CPU", "ms", [each["stall_cpu_ms"] for each in found]),
        figure("memory", "MiB", [each["rest_mib"] for each in found]),
        figure("memory a sensor", "KiB", [each["kib_a_sensor"] for each in found], MOST_KIB),
        figure("peak of memory", "of the usual", [each["peak_mib"] / each["rest_mib"] for each in found], MOST_PEAK),
        figure("a snapshot", "s", [each["snapshot_s"] for each in found]),
        figure("recovery", "s", [each["recovery_s"] for each in found], MOST_RECOVERY_S),
        figure("CPU a reading", "us", [each["us_a_reading"] for each in found]),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sensors", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--do", choices=["run", "recover"], help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.do is not None:
        found = run(arguments.path, arguments.sensors[0]) if arguments.do == "run" else recover(arguments.path)
        print(json.dumps(found))
        return
    for sensors in arguments.sensors:
        report(sensors, measured(sensors))


def report(sensors: int, found: dict[str, float]) -> None:
    """Print the results."""
    more = found["peak_mib"] / found["rest_mib"] - 1
    print(f"{sensors:,} sensors, one reading a second each")
    print(f"  a slice      {found['stall_ms']:6.1f} ms at most, {found['stall_p99_ms']:.1f} ms at the 99th percentile, "
          f"{found['stall_cpu_ms']:.1f} ms of CPU at most")  # fmt: skip
    print(f"  memory       {found['rest_mib']:6.0f} MiB, {found['peak_mib']:.0f} MiB at most: {more:+.1%}")
    print(f"  a snapshot   {found['snapshot_s']:6.2f} s in slices; {found['snapshots']:.0f} in "
          f"{found['readings'] / sensors:.0f} s")  # fmt: skip
    print(f"  a reading    {found['us_a_reading']:6.1f} us of CPU, {found['bytes_a_reading']:.0f} bytes written")
    print(f"  recovery     {found['recovery_s']:6.2f} s, {found['recovery_cpu_s']:.2f} s of CPU, "
          f"{found['entries']:.0f} journal entries")  # fmt: skip


if __name__ == "__main__":
    main()
