"""Past series: the history of a sensor for its plot, computed in a separate process.

It runs as `python -m edge.page.store.past_series` with a job on stdin. The store keeps readings but no scores, so the
readings are scored again, from as far back as the job allows, by detectors that start without learned state. This takes
seconds of CPU time and would block the service in its own process; here it runs separately, with low priority and a
time limit.

The output is two lines of JSON: the readings at once, then the readings with scores and bands. A line with `error` ends
it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from config.loading import load
from config.problems import ConfigurationError
from detectors.numeric.arrays import Floats
from edge.core.incidents.observer import ScoredRound
from edge.core.model.readings.messages import Reading
from edge.core.model.sensors.sensors import is_device
from edge.core.persistence.journal import Readings
from edge.core.persistence.snapshot import KnownSensor
from edge.core.pipeline import Pipeline
from edge.page.store.stored_readings import NONE, kept_readings
from edge.reports.plot_data import opinion_of, series_of
from edge.reports.recording.decimation import Decimator
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import StoreError, read_history

MOST_POINTS = 2400
MOST_SCORED = 12_000
"""Maximum number of readings to score, the latest, including those before the plot from which the detectors learn."""

WARM_UP_S = 2 * 86_400.0
"""Time before the plot from which the detectors learn."""

CHUNK = 2_000
PROCESSOR_S = 40
MEMORY_BYTES = 2 * 2**30


class Job(msgspec.Struct):
    """The request.

    Attributes:
        store: The store's file.
        configuration: The configuration's file.
        name: Name of a sensor, or of a device with a trailing slash.
        since: Start of the plot, in seconds since the epoch, UTC.
        until: End of the plot.
    """

    store: str
    configuration: str
    name: str
    since: float
    until: float


class GatheredScores:
    """An observer that collects the results of one sensor.

    Args:
        pipeline: The observed pipeline.
        name: Name of the sensor or device.
    """

    def __init__(self, pipeline: Pipeline, name: str) -> None:
        self._pipeline, self._name = pipeline, name
        self.rows: list[Floats] = []
        pipeline.observe(self)

    def scored(self, scored: ScoredRound) -> None:
        """Record a round."""
        at = np.flatnonzero(scored.slots == (self._pipeline.sensors.find(self._name)))
        if not len(at):
            return
        agree = scored.floor <= scored.ceiling
        lower, upper = np.where(agree, scored.floor, np.nan), np.where(agree, scored.ceiling, np.nan)
        columns = (scored.times, scored.values, scored.values, scored.score, scored.level, lower, upper)
        self.rows.append(np.array([each[at] for each in columns]))


def plot_of(rows: Floats) -> dict[str, Any]:
    """A run in a plot.

    Args:
        rows: Time, value, value, score, level, lower and upper end of each reading, shape (7, n).
    """
    series = Decimator()
    series.add(rows)
    trace = series.trace(MOST_POINTS)
    return {**series_of(trace), **opinion_of(trace), "incidents": []}


def work(job: Job) -> Iterator[dict[str, Any]]:
    """The answers to a job.

    Raises:
        StoreError: The store can't be read.
        ConfigurationError: The configuration's file has changed since the service loaded it.
    """
    configuration = load(Path(job.configuration), Path(job.store))
    names = frozenset([job.name])
    if is_device(job.name):
        every = {known[0] for known in _known(Path(job.store))}
        belongs = {each: configuration.device_for(each) for each in every}
        names = frozenset(
            each for each, device in belongs.items() if device is not None and f"{device[0]}/" == job.name
        )
    kept, known = kept_readings(Path(job.store), names, job.since - WARM_UP_S)
    plain = kept.get(job.name, NONE).within(job.since, job.until).rows()
    any_kept = any(len(each.times) for each in kept.values())
    yield {"run": plot_of(plain), "readings": plain.shape[1], "more": any_kept}
    pipeline = make_pipeline(configuration)
    pipeline.register_sensors(known.values())
    scores = GatheredScores(pipeline, job.name)
    readings = sorted(
        (time, name, value)
        for name, each in kept.items()
        for time, value in zip(each.times[-MOST_SCORED:].tolist(), each.values[-MOST_SCORED:].tolist(), strict=True)
    )[-MOST_SCORED:]
    for first in range(0, len(readings), CHUNK):
        pipeline.process_readings([Reading(name, time, value) for time, name, value in readings[first : first + CHUNK]])
    pipeline.flush()
    scored = np.concatenate(scores.rows, axis=1) if scores.rows else np.zeros((7, 0))
    scored = scored[:, scored[0] >= job.since]
    before = plain[:, plain[0] < (scored[0, 0] if scored.shape[1] else np.inf)]
    rows = np.concatenate([before, scored], axis=1)
    yield {"run": plot_of(rows), "readings": rows.shape[1], "unscored": before.shape[1], "more": False}


def _known(store: Path) -> list[KnownSensor]:
    history = read_history(store, np.inf)
    found = list(history.sensors)
    for part in history.parts:
        if isinstance(part, Readings):
            found += part.new_sensors
    return found


def main() -> None:
    """Read a job and write the answers."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        for answer in work(job):
            print(json.dumps(answer, separators=(",", ":"), allow_nan=False), flush=True)
    except StoreError as error:
        print(json.dumps({"error": f"The store can't be read: {error}"}), flush=True)
    except ConfigurationError:
        print(json.dumps({"error": "The configuration's file has been changed and now has errors."}), flush=True)


if __name__ == "__main__":
    main()
