"""A sensor's plot as PNG, for a document or a message. Requires matplotlib, the extra `plot`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.core.model.notation.severity import severity_class
from edge.reports.backtest import Backtest, Dataset
from edge.reports.judging import IncidentSpan
from edge.reports.plot_data import labels_of

COLOURS = ("#3a87d8", "#d99a00", "#e2602a", "#bd1257")
SERIES, LABEL, LEVEL, SCORE = "#24478f", "#0a7d5c", "#e2602a", "#8b94a3"
POINTS = 4096

LANE_INCHES = 0.22
"""Height of a kind of conditions."""


class PlotError(Exception):
    """Plots can't be drawn; the message gives a remedy."""


def check_plotting() -> None:
    """Check whether plots can be drawn.

    Raises:
        PlotError: matplotlib isn't installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise PlotError("--png needs matplotlib: pip install 'edgewarden[plot]'") from error
    mpl.use("Agg")


def file_name(place: int, dataset: Dataset, sensor: str) -> str:
    """File name of a sensor's plot: position in the report, dataset, name."""
    words = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{Path(dataset.name).stem}-{sensor}").strip("-.")
    return f"{place + 1:03d}-{words[:100] or 'sensor'}.png"


def draw(backtest: Backtest, dataset: Dataset, sensor: str, path: Path) -> None:
    """Draw a sensor: readings, band and incidents of the first configuration, the incidents of others below.

    Args:
        backtest: The backtest.
        dataset: The dataset of the sensor.
        sensor: Name of the sensor.
        path: Path of the output file.
    """
    from matplotlib import pyplot as plt  # noqa: PLC0415 - an extra

    record = dataset.record(0, sensor)
    trace = record.series.trace(POINTS)
    times = [_moment(each) for each in trace.times.tolist()]
    kinds = list(dict.fromkeys(kind for each in record.incidents for kind, _ in each.conditions))
    lanes = LANE_INCHES * max(1, len(kinds))
    figure, (above, between, below) = plt.subplots(
        3, 1, sharex=True, figsize=(11, 4.6 + lanes), height_ratios=(3, lanes, 1.3), layout="constrained"
    )
    try:
        above.set_title(sensor, loc="left", fontsize=11, fontweight="bold")
        above.set_title(dataset.name, loc="right", fontsize=9, color="#5d6675")
        above.fill_between(times, trace.lower, trace.upper, color=SERIES, alpha=0.14, linewidth=0)
        above.fill_between(times, trace.low, trace.high, color=SERIES, linewidth=0.8)
        above.plot(times, trace.high, color=SERIES, linewidth=0.9)
        _limit(above, float(trace.low.min()), float(trace.high.max())) if len(trace.low) else None
        for _, label in labels_of(dataset, sensor):
            _span(above, label.start, label.end, record.last, facecolor="none", edgecolor=LABEL, hatch="///", alpha=0.6)
        for each in record.incidents:
            colour = COLOURS[severity_class(each.severity)]
            _span(above, each.raised, each.ended, record.last, color=colour, alpha=0.22, linewidth=1)
            _conditions(between, kinds, each, record.last, colour)
        for value in record.states:
            above.axhline(value, color=LABEL, linewidth=0.8, linestyle=":")
        between.set_yticks(range(len(kinds)), [kind.replace("_", " ") for kind in kinds])
        between.set_ylim(len(kinds) - 0.5, -0.5)
        below.fill_between(times, 0, trace.score, color=SCORE, alpha=0.6, linewidth=0)
        below.fill_between(times, trace.level, trace.score, where=trace.score >= trace.level, color=LEVEL, linewidth=1)
        below.plot(times, trace.level, color=LEVEL, linewidth=1, linestyle="--")
        below.set_yscale("symlog", linthresh=5)
        below.set_ylim(bottom=0)
        below.yaxis.set_major_formatter("{x:g}")
        below.set_ylabel("decades", fontsize=9)
        below.set_xlabel(f"UTC; {backtest.configurations[0]}", fontsize=9)
        for axis in (above, between, below):
            axis.tick_params(labelsize=8)
            axis.grid(color="#e2e5eb", linewidth=0.6)
            axis.spines[["top", "right"]].set_visible(False)
            axis.set_axisbelow(True)
        figure.savefig(path, dpi=140, metadata={"Software": None})
    finally:
        plt.close(figure)


def _limit(axis: Any, low: float, high: float) -> None:
    """Set the axis range to the readings and the nearby part of the band."""
    room = 0.3 * (high - low or abs(high) or 1.0)
    bottom, top = axis.get_ylim()
    axis.set_ylim(max(bottom, low - room), min(top, high + room))


def _conditions(axis: Any, kinds: Sequence[str], incident: IncidentSpan, last: float, colour: str) -> None:
    """Draw each condition of an incident in its kind's lane, from its first reading on until the incident's end."""
    until = last if math.isinf(incident.ended) else incident.ended
    for kind, since in incident.conditions:
        axis.plot(
            [_moment(since), _moment(max(until, since + 1))],
            [kinds.index(kind)] * 2,
            color=colour,
            linewidth=5,
            marker="s",
            markersize=4,
        )


def _span(axis: Any, start: float, end: float, last: float, **looks: Any) -> None:
    axis.axvspan(_moment(start), _moment(last if math.isinf(end) else max(end, start + 1)), **looks)


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
