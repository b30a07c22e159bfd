"""Layout: renders a picture and the user's selection in a number of columns and rows.

All external text passes through `printable()` here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from edge.commands.screen.cells import Glyphs, cut, cut_left, fitted, sparkline, wrapped
from edge.commands.screen.details import details_of
from edge.commands.screen.picture import Picture
from edge.commands.screen.selection import Choice, ListLine
from edge.commands.support.printing.durations import ago
from edge.core.incidents.events.event import severity_name
from edge.core.model.notation.printable import printable
from edge.core.model.notation.quantities import counted, duration, quantity

Piece = tuple[str, str]
Line = list[Piece]
"""Texts with a style: empty, `bold`, `dim`, `bad`, `good`, or a severity's name."""

SMALLEST = (40, 10)
KEYS = "q quit  Up/Down move  Enter details  a acknowledge  m mute  u unmute  n normal  / filter"
DETAIL_KEYS = "Esc back  Up/Down scroll  a acknowledge  m mute  u unmute  n normal  q quit"
FOOT = 3
SPARK = 16
SENTENCE = 3
"""Index of the sentence among the pieces of an incident's line."""


class Size(NamedTuple):
    """Size of a terminal."""

    columns: int
    rows: int


def frame(picture: Picture, choice: Choice, size: Size, glyphs: Glyphs) -> list[Line]:
    """All lines, exactly as many as there are rows."""
    if size.columns < SMALLEST[0] or size.rows < SMALLEST[1]:
        text = f"The terminal is smaller than {SMALLEST[0]} x {SMALLEST[1]}; q quits."
        lines: list[Line] = [[(each, "")] for each in wrapped(text, max(1, size.columns), size.rows)]
        return _filled(lines, size.rows)
    head = head_lines(picture, size.columns, glyphs)
    room = size.rows - len(head) - FOOT
    item = choice.selected()
    if choice.opened is not None:
        body = details_of(picture, choice.opened, choice.recent(choice.opened.sensor), size.columns, glyphs)
        choice.limit_scroll(len(body) - room)
        body = body[choice.scroll : choice.scroll + room]
    else:
        body = _lists(picture, choice, room, size.columns, glyphs)
    return [*head, *_filled(body, room), *_foot(choice, item, size.columns, glyphs)]


def _filled(lines: list[Line], rows: int) -> list[Line]:
    return [*lines[:rows], *([[]] * (rows - len(lines)))]


def head_lines(picture: Picture, columns: int, glyphs: Glyphs) -> list[Line]:
    """Name, state and health of the service: three lines, four if there are problems."""
    state = picture.state
    status = {} if state.is_starting else state.status
    name = f"Edgewarden  {printable(str(status.get('gateway', '')))}".rstrip()
    clock = time.strftime("%H:%M:%S", time.localtime(picture.now))
    health = status.get("health", {})
    words = state.words()
    if state.running and "uptime_s" in health:
        words += f", up for {duration(health['uptime_s'] + state.age_s)}"
    verdict, style = ("fine", "good") if not picture.problems else ("not well", "bad")
    if not state.running:
        verdict, style = "not running", "WARN"
    lines: list[Line] = [
        [(fitted(name, columns - len(clock) - 1, ellipsis=glyphs.ellipsis), "bold"), (f" {clock}", "dim")],
        [(verdict, style), (cut(f": {words}", columns - len(verdict), glyphs.ellipsis), "")],
        [(cut(_health(picture, status), columns, glyphs.ellipsis), "")],
    ]
    wrong = [*([f"the store: {picture.trouble}"] if picture.trouble else []), *picture.problems, *picture.notes]
    if wrong:
        more = f" (and {len(wrong) - 1} more: edgewarden status)" if len(wrong) > 1 else ""
        text = cut(f"! {printable(wrong[0])}", columns - len(more), glyphs.ellipsis) + more
        lines.append([(cut(text, columns, glyphs.ellipsis), "bad" if picture.trouble or picture.problems else "WARN")])
    return lines


def _health(picture: Picture, status: dict[str, Any]) -> str:
    """Connections, rate, backlog and refusals on one line; for a stopped service, its last report."""
    if not status:
        waiting = "" if picture.size is None else f"backlog {picture.size.waiting:,}"
        return waiting or "nothing is known about it yet"
    health = status.get("health", {})
    there = [each for each in status.get("connections", ()) if each["connected"]]
    links = f"connected {len(there)} of {len(status.get('connections', ()))}"
    if there and picture.state.running:
        links = "connected " + ", ".join(sorted({printable(f"{each['host']}:{each['port']}") for each in there}))
    rate = sum(each["per_minute"] for each in status.get("inputs", ()))
    backlog = health.get("backlog_events", 0)
    if not picture.state.running:
        links, rate = "not connected", 0.0
        backlog = backlog if picture.size is None else picture.size.waiting
    refused = sum(each["count"] for each in status.get("refused", ()))
    return f"{links}   {rate:,.0f} messages/min   backlog {backlog:,}   refused {refused:,}"


def _lists(picture: Picture, choice: Choice, room: int, columns: int, glyphs: Glyphs) -> list[Line]:
    """Incidents above, sensors below; each list scrolls to keep the selection visible."""
    incidents, sensors = choice.incidents, choice.sensors
    least = min(len(sensors), 4) + 2
    upper = max(1, min(len(incidents), max(room // 2, room - 1 - len(sensors) - 2), room - 1 - least))
    lower = room - 1 - upper - 2
    at = choice.position
    shown = incidents[_first(at, len(incidents), upper) :][:upper]
    lines: list[Line] = [[(cut(_incidents_title(picture, choice), columns, glyphs.ellipsis), "bold")]]
    if not incidents:
        words = "None of them fits the filter." if picture.incidents else "Nothing is wrong."
        lines.append([(f"  {words}", "dim")])
    lines += [
        incident_line(each, picture.now, columns, glyphs, is_selected=each == choice.selected()) for each in shown
    ]
    lines.append([(cut(_sensors_title(picture, choice), columns, glyphs.ellipsis), "bold")])
    headings = _columns("sensor", "state", "value", "last", "readings", columns, glyphs)
    lines.append([(cut("  " + "".join(headings), columns), "dim")])
    start = _first(at - len(incidents), len(sensors), lower)
    for each in sensors[start : start + lower]:
        values = choice.recent(each.sensor)
        lines.append(sensor_line(picture, each, values, columns, glyphs, is_selected=each == choice.selected()))
    return lines


def printed_lines(picture: Picture, choice: Choice, columns: int, glyphs: Glyphs) -> list[Line]:
    """All incidents with complete sentences, and all sensors, for output that isn't a terminal."""
    lines: list[Line] = [[(_incidents_title(picture, choice), "")]]
    for each in choice.incidents:
        line = incident_line(each, picture.now, columns, glyphs, is_selected=False)
        if line[SENTENCE][0].endswith(glyphs.ellipsis):
            sentence = wrapped(printable(each.sentence), columns - 6)
            lines += [[*line[:SENTENCE], *line[SENTENCE + 1 :]], *([(f"      {text}", "")] for text in sentence)]
        else:
            lines.append(line)
    lines.append([(_sensors_title(picture, choice), "")])
    headings = _columns("sensor", "state", "value", "last", "readings", columns, glyphs)
    lines.append([("  " + "".join(headings), "")])
    return lines + [
        sensor_line(picture, each, choice.recent(each.sensor), columns, glyphs, is_selected=False)
        for each in choice.sensors
    ]


def _first(at: int, count: int, room: int) -> int:
    """Index of the first visible item, so that the selected one is centred if possible."""
    return max(0, min(at - room // 2, count - room))


def _incidents_title(picture: Picture, choice: Choice) -> str:
    count = len(picture.incidents)
    fits = f", {len(choice.incidents)} of them fit the filter" if choice.filter and count else ""
    return f"OPEN INCIDENTS  {counted(count, 'incident')}{fits}"


def _sensors_title(picture: Picture, choice: Choice) -> str:
    found = f"SENSORS  {counted(len(picture.sensors), 'sensor')}"
    if choice.filter:
        return f"{found}, {len(choice.sensors):,} with {printable(choice.filter)!r} in their name (Esc: all)"
    states = [choice.state_of(each) for each in picture.sensors]
    counts = [f"{count} {name}" for name in ("open", "silent", "muted", "new") if (count := states.count(name))]
    return f"{found}: {', '.join(counts)}" if counts else found


def incident_line(item: ListLine, now: float, columns: int, glyphs: Glyphs, *, is_selected: bool) -> Line:
    """Severity, start, and sentence; with recent readings if there is room."""
    assert item.incident is not None  # noqa: S101 - an incident's item
    data = item.incident.event["data"]
    word = severity_name(item.incident.severity)[0]
    marks = "".join(f" [{name}]" for name in ("acknowledged", "shelved") if data[name])
    marks = marks.replace("shelved", "muted").replace("acknowledged", "seen")
    spark = sparkline([value for _, value in data["recent"]], SPARK, glyphs) if columns >= 100 else ""
    room = columns - 2 - 6 - 10 - len(marks) - (SPARK + 2 if columns >= 100 else 0)
    return [
        ("> " if is_selected else "  ", "bold"),
        (f"{word:<6}", word),
        (f"{duration(max(0.0, round(now - item.since))):>8}  ", "dim"),
        (fitted(printable(item.incident.sentence), room, ellipsis=glyphs.ellipsis), "bold" if is_selected else ""),
        (marks, "dim"),
        (f"  {spark}" if spark else "", ""),
    ]


def sensor_line(
    picture: Picture, item: ListLine, values: Sequence[float], columns: int, glyphs: Glyphs, *, is_selected: bool
) -> Line:
    """Name, state, value, age and sparkline."""
    row = picture.sensors[item.sensor]
    value = glyphs.dash if row["value"] is None else quantity(row["value"], printable(row["unit"]))
    age = glyphs.dash if row["time"] is None else ago(picture.now - row["time"])
    bars = sparkline(values, _spark(columns), glyphs)
    name, state, rest = _columns(printable(item.sensor), item.state, value, age, bars, columns, glyphs)
    return [
        ("> " if is_selected else "  ", "bold"),
        (name, "bold" if is_selected else ""),
        (state, item.severity),
        (rest, ""),
    ]


def _columns(
    name: str, state: str, value: str, age: str, bars: str, columns: int, glyphs: Glyphs
) -> tuple[str, str, str]:
    """The cells of a sensor's line: name, state, and the rest."""
    room = columns - 2 - _spark(columns) - 14 - 14 - 11
    is_narrow = room < 16  # then without the last readings
    room += (_spark(columns) + 2) * is_narrow
    return (
        f"{fitted(cut_left(name, room - 1, glyphs.ellipsis), room - 1)} ",
        f"{fitted(state, 10, ellipsis=glyphs.ellipsis)} ",
        f"{fitted(value, 13, right=True, ellipsis=glyphs.ellipsis)} {fitted(age, 12, right=True)}"
        + ("" if is_narrow else f"  {bars}"),
    )


def _spark(columns: int) -> int:
    return SPARK if columns >= 100 else SPARK // 2


def _foot(choice: Choice, item: ListLine | None, columns: int, glyphs: Glyphs) -> list[Line]:
    """The complete sentence of the selection, and the keys, a question, or the result of a command."""
    sentence = "" if item is None or choice.opened is not None else item.sentence
    lines: list[Line] = [[(each, "bold")] for each in wrapped(printable(sentence), columns, 2, glyphs.ellipsis)]
    last = choice.question()
    style = "bold"
    if not last:
        last, style = (choice.message, "bold") if choice.message else (_keys(choice, columns), "dim")
    return [*([[]] * (FOOT - 1 - len(lines))), *lines, [(cut(printable(last), columns, glyphs.ellipsis), style)]]


def _keys(choice: Choice, columns: int) -> str:
    text = DETAIL_KEYS if choice.opened is not None else KEYS
    while len(text) > columns:
        text = text.rpartition("  ")[0]
    return text
