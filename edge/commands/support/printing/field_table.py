"""The table of `edgewarden benchmark field`, and the same as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from edge.core.incidents.events.event import severity_name
from edge.core.model.notation.printable import printable
from edge.core.model.notation.quantities import counted, duration
from edge.evaluation.field_judging import VERDICTS, JudgedCase, JudgedWindow, ToldIncident
from edge.reports.summary import spell_moment

HEADER = (
    f"  {'':28}{'found':>6}{'late':>6}{'masked':>8}{'missed':>8}{'quits':>7}{'unwanted':>10}{'later':>7}{'open h':>8}"
)


def row(name: str, outcome: JudgedCase) -> str:
    """A case's line."""
    found, late, masked, missed = (outcome.count(each) for each in VERDICTS)
    return printable(
        f"  {name:28}{found:6}{late:6}{masked:8}{missed:8}{outcome.quits:7}{len(outcome.unwanted):10}"
        f"{outcome.unwanted_later:7}{outcome.open_h:8.1f}"
    )


def details(outcome: JudgedCase) -> Iterator[str]:
    """A line for everything that was wanted, and for every unwanted incident."""
    for window in outcome.windows:
        yield printable(f"    {window.verdict:8} {spell_moment(window.wanted.start)}  {_told(window)}")
    for each in outcome.unwanted:
        yield printable(
            f"    unwanted {spell_moment(each.raised)}  {_open(each)}{_severity(each.severity)} {each.message}"
        )


def summary(total: JudgedCase) -> str:
    """The figures of all cases in words."""
    outcomes = ", ".join(f"{'found in time' if each == 'found' else each} {total.count(each)}" for each in VERDICTS)
    incidents = counted(total.incidents, "incident")
    later, hours = _a_day(total.unwanted_later, total.later_days), _a_day(total.open_h, total.sensor_days)
    return (
        f"\n  {len(total.windows)} wanted: {outcomes}; quits {total.quits}"
        f"\n  {incidents}: unwanted {len(total.unwanted)}, contradicting themselves {total.contradictions}"
        f"\n  unwanted a sensor-day: {later} after the third day; open for {hours} h"
    )


def as_json(judged: Mapping[str, JudgedCase], total: JudgedCase) -> str:
    """All figures as one line of JSON, with the windows and the unwanted incidents of each case."""
    cases = {name: _figures(each) for name, each in judged.items()}
    for name, each in judged.items():
        cases[name] |= {"windows": each.windows, "unwanted_incidents": each.unwanted}
    return msgspec.json.encode({"total": _figures(total), "cases": cases}).decode()


def _figures(outcome: JudgedCase) -> dict[str, Any]:
    return {
        **{each: outcome.count(each) for each in VERDICTS},
        "quits": outcome.quits,
        "unwanted": len(outcome.unwanted),
        "unwanted_later": outcome.unwanted_later,
        "open_h": round(outcome.open_h, 3),
        "contradictions": outcome.contradictions,
        "sensor_days": round(outcome.sensor_days, 3),
        "later_days": round(outcome.later_days, 3),
    }


def _told(window: JudgedWindow) -> str:
    wanted = window.wanted
    what = f"{wanted.sensor} {wanted.kind}"
    if math.isnan(window.delay_s):
        return f"{what}; open before: {window.message}" if window.message else what
    quits = ", ended early" if window.quits else ""
    return f"{what}; after {duration(max(0.0, window.delay_s))}{quits}, {_severity(window.severity)}: {window.message}"


def _severity(number: int) -> str:
    """A severity with its class: `WARN 412`."""
    return f"{severity_name(number)[0]} {number}"


def _open(incident: ToldIncident) -> str:
    return "" if math.isinf(incident.ended) else f"{duration(incident.ended - incident.raised)}, "


def _a_day(count: float, days: float) -> str:
    return f"{count / days:.3f}" if days > 0 else "-"
