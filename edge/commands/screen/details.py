"""Details of one sensor or incident, as lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from edge.commands.screen.cells import Glyphs, sparkline, wrapped
from edge.commands.screen.picture import Picture
from edge.commands.screen.selection import ListLine
from edge.commands.support.printing.durations import ago, epoch, moment
from edge.core.incidents.events.event import severity_name
from edge.core.model.notation.printable import printable
from edge.core.model.notation.quantities import duration, number, quantity

TERM = 15


def details_of(
    picture: Picture, item: ListLine, values: Sequence[float], columns: int, glyphs: Glyphs
) -> list[list[tuple[str, str]]]:
    """All known facts as lines."""
    lines: list[list[tuple[str, str]]] = [[(each, "bold")] for each in wrapped(printable(item.sensor), columns)]
    incident = next((each for each in picture.incidents if each.sensor == item.sensor), None)
    if incident is not None:
        word = severity_name(incident.severity)[0]
        lines += [[(each, word)] for each in wrapped(printable(incident.sentence), columns)]
    elif item.incident is not None:
        lines.append([("The incident has ended.", "good")])
    row = picture.sensors.get(item.sensor)
    facts = [] if row is None else _of_sensor(row, picture.now)
    facts += [] if incident is None else _of_incident(incident.event["data"], incident.event, picture.now)
    bars = sparkline(values, columns - TERM - 2, glyphs)
    if bars:
        finite = [each for each in values if math.isfinite(each)]
        facts.append(("last readings", f"{bars}"))
        facts.append(("", f"{len(finite)} readings from {number(min(finite))} to {number(max(finite))}"))
    lines.append([])
    for term, meaning in facts:
        for at, text in enumerate(wrapped(printable(meaning), columns - TERM - 2)):
            lines.append([(f"  {term if at == 0 else '':<{TERM}}", "dim"), (text, "")])
    return lines


def _of_sensor(row: dict[str, Any], now: float) -> list[tuple[str, str]]:
    if row["time"] is None:
        facts = [("value", "none yet")]
    else:
        value = quantity(row["value"], row["unit"])
        facts = [("value", f"{value} at {moment(row['time'])} UTC, {ago(now - row['time'])}")]
    if row["interval_s"] is not None:
        facts.append(("interval", duration(row["interval_s"])))
    facts.append(("learned", f"{row['learned']}, watched for {row['days_watched']:g} days"))
    if row["detectors"] is not None:
        facts.append(("detectors", ", ".join(row["detectors"]) or "none: it isn't watched"))
        facts.append(("raising level", f"{row['level']:g} decades of surprise"))
    if row["limits"]:
        facts.append(("limits", ", ".join(f"{name} {bound:g}" for name, bound in row["limits"].items())))
    if row["device"] is not None:
        facts.append(("device", row["device"]))
    return facts


def _of_incident(data: dict[str, Any], event: dict[str, Any], now: float) -> list[tuple[str, str]]:
    started = epoch(data["started"])
    facts = [
        ("open since", f"{moment(started)} UTC, {ago(now - started)}"),
        ("incident", f"{data['kind']}, {event['severitytext']}, severity {data['severity']}"),
        ("its value", "none" if data["value"] is None else quantity(data["value"], data["unit"])),
    ]
    if data["lower"] is not None and data["upper"] is not None:
        facts.append(("expected", f"{number(data['lower'])} to {quantity(data['upper'], data['unit'])}"))
    facts.append(("found by", ", ".join(each["name"] for each in data["detectors"])))
    for name, word in (("acknowledged", "seen"), ("shelved", "muted")):
        if data[name]:
            facts.append(
                (word, " ".join(filter(None, ("yes", data.get("by") and f"by {data['by']}", data.get("comment")))))
            )
    facts.append(("id", data["incident"]))
    return facts
