"""Plot data: the data of one plot in compact JSON for `plot.js`."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from detectors.numeric.arrays import Floats
from edge.reports.backtest import BacktestRun, Dataset, verdict_words
from edge.reports.judging import IncidentSpan
from edge.reports.labels import Label
from edge.reports.recording.decimation import Trace

DIGITS = 4
"""Resolution relative to a value's range: 1 in 10,000 of a plot's height is less than a pixel."""


def plot_json(dataset: Dataset, sensor: str, most: int) -> str:
    """The complete data of a sensor's plot as JSON that can be embedded in a page.

    Args:
        dataset: The dataset.
        sensor: Name of the sensor.
        most: Maximum number of points in the series.
    """
    records = [dataset.record(run, sensor) for run in range(len(dataset.runs))]
    known = [each for each in records if each.readings]
    traces = [each.series.trace(most) for each in records]
    runs = []
    for place, (run, trace) in enumerate(zip(dataset.runs, traces, strict=True)):
        like = next(index for index, each in enumerate(traces) if _is_alike(each, trace))
        words = run.words()
        incidents = [_incident(each, words.get(each.incident, "")) for each in records[place].incidents]
        series = series_of(trace) if like == place else {"like": like}
        runs.append({**series, **opinion_of(trace), "incidents": incidents, "states": records[place].states})
    whole = {
        "start": round(1000 * min((each.first for each in known), default=0.0)),
        "end": round(1000 * max((each.last for each in known), default=0.0)),
        "labels": [_label(number, each, dataset.runs) for number, each in labels_of(dataset, sensor)],
        "runs": runs,
    }
    text = json.dumps(whole, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " ")


def labels_of(dataset: Dataset, sensor: str) -> list[tuple[int, Label]]:
    """The labels shown in a sensor's plot, with their numbers."""
    return [(number, each) for number, each in enumerate(dataset.labels or ()) if each.sensor in {None, sensor}]


def _is_alike(one: Trace, other: Trace) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("times", "low", "high"))


def series_of(trace: Trace) -> dict[str, Any]:
    """Times and values of a trace."""
    times = np.round(trace.times * 1000).astype(np.int64)
    steps = np.diff(times, prepend=times[:1])
    unit = max(1, int(np.gcd.reduce(steps))) if len(steps) else 1
    found: dict[str, Any] = {
        "start": int(times[0]) if len(times) else 0,
        "unit": unit,
        "t": (steps // unit).tolist(),
        "lo": _short(trace.low),
    }
    if not np.array_equal(trace.low, trace.high):
        found["hi"] = _short(trace.high)
    return found


def opinion_of(trace: Trace) -> dict[str, Any]:
    """Scores, raising levels and band of a trace; the level is 0 where nothing was scored."""
    levels = np.round(trace.level, 2)
    changes = np.flatnonzero(np.append(np.array([True]), np.diff(levels) != 0)[: len(levels)])
    return {
        "score": [None if math.isnan(each) else _plain(round(each, 2)) for each in trace.score.tolist()],
        "levels": [[int(at), _plain(float(levels[at]))] for at in changes],
        "lower": _short(trace.lower),
        "upper": _short(trace.upper),
    }


def _incident(span: IncidentSpan, word: str) -> dict[str, Any]:
    return {
        "raised": round(1000 * span.raised),
        "ended": None if math.isinf(span.ended) else round(1000 * span.ended),
        "severity": span.severity,
        "message": span.message,
        "word": word,
        "conditions": [[kind.replace("_", " "), round(1000 * since)] for kind, since in span.conditions],
    }


def _label(number: int, label: Label, runs: list[BacktestRun]) -> list[Any]:
    verdicts = [verdict_words(number, each.judgement) if each.judgement is not None else "" for each in runs]
    return [round(1000 * label.start), round(1000 * label.end), label.kind, verdicts]


def _short(values: Floats) -> list[float | None]:
    """Values rounded to the visible digits, None where unknown."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return [None] * len(values)
    spread = float(np.percentile(known, 95) - np.percentile(known, 5)) or float(np.abs(known).max()) or 1.0
    digits = DIGITS - math.floor(math.log10(spread))
    return [_plain(round(each, digits)) if math.isfinite(each) else None for each in values.tolist()]


def _plain(value: float) -> float:
    """The value as an integer if it is one, which is shorter and equivalent in JavaScript."""
    return int(value) if value == int(value) and abs(value) < 1e15 else value
