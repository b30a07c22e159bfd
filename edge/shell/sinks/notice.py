"""Notices: messages to people about one or more events, with a title and a few lines.

A single event is shown as its sentence, several as one line each; of many, the worst are listed and the others counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from edge.core.incidents.events.event import severity_name
from edge.core.incidents.events.gaps import TRANSITION as GAP
from edge.core.incidents.events.open_incidents import ENDED
from edge.core.model.notation.printable import printable, shortened
from edge.shell.sinks.base import EventRefused
from edge.shell.store import OutboxRow

LISTED = 20
"""Maximum number of events listed."""

LONGEST_LINE, LONGEST_TITLE = 300, 120

Mood = Literal["failure", "warning", "info", "success"]
_MOODS: dict[str, Mood] = {"FATAL": "failure", "ERROR": "failure", "WARN": "warning", "INFO": "info"}


class Notice(NamedTuple):
    """A message to people.

    Attributes:
        title: Title of a few words.
        body: Lines of plain text.
        mood: Category for an icon.
    """

    title: str
    body: str
    mood: Mood


class _Data(msgspec.Struct):
    message: str


class _EventData(msgspec.Struct):
    time: str
    data: _Data


class Item(NamedTuple):
    """An event as a line of a notice.

    Attributes:
        row: The event.
        time: Its time, seconds since the epoch.
        message: Its sentence.
    """

    row: OutboxRow
    time: float
    message: str

    @property
    def has_ended(self) -> bool:
        """Whether it reports the end of an incident."""
        return self.row.transition in ENDED

    @property
    def word(self) -> str:
        """The transition in one or two words."""
        row = self.row
        if self.has_ended:
            return "ended"
        if row.transition == GAP:
            return "missing"
        level = severity_name(row.severity)[0]
        return {"raised": level, "updated": f"now {level}"}.get(row.transition, f"{level} {row.transition}")

    def line(self, zone: ZoneInfo, most: int) -> str:
        """Time, word and sentence."""
        moment = datetime.fromtimestamp(self.time, zone)
        return shortened(f"{moment:%a %H:%M:%S} {self.word}: {self.message}", most)


def item_of(row: OutboxRow) -> Item:
    """Decode a stored event.

    Raises:
        EventRefused: It isn't an event.
    """
    try:
        event = msgspec.json.decode(row.payload, type=_EventData)
        time = datetime.fromisoformat(event.time).timestamp()
    except (msgspec.DecodeError, ValueError) as error:
        raise EventRefused("it isn't an event with a time and a sentence") from error
    return Item(row, time, printable(event.data.message))


def notice_of(items: Sequence[Item], gateway: str, zone: ZoneInfo, room: int) -> Notice:
    """Compose a notice.

    Args:
        items: At least one event, in order.
        gateway: Name of the gateway.
        zone: Time zone for times in the text.
        room: Maximum number of characters in the body.
    """
    worst = max(items, key=lambda each: (not each.has_ended, each.row.severity))
    level = severity_name(worst.row.severity)[0]
    mood = "success" if worst.has_ended else _MOODS[level]
    if len(items) == 1:
        title = f"{worst.word} {printable(worst.row.sensor)}".rstrip()
        return Notice(
            shortened(f"{gateway}: {title}", LONGEST_TITLE), worst.line(zone, min(room, 4 * LONGEST_LINE)), mood
        )
    ended = sum(each.has_ended for each in items)
    counts = [f"{number} {words}" for number, words in ((len(items) - ended, "new"), (ended, "ended")) if number]
    title = f"{gateway}: {', '.join(counts)}{'' if worst.has_ended else f', worst {level}'}"
    return Notice(shortened(title, LONGEST_TITLE), _lines(items, zone, room), mood)


def _lines(items: Sequence[Item], zone: ZoneInfo, room: int) -> str:
    """As many lines as fit, for the worst events in order; the number of others is appended."""
    left = room - len("\nand 99999 more")
    lines: dict[int, str] = {}
    for place in sorted(range(len(items)), key=lambda at: (items[at].has_ended, -items[at].row.severity, at)):
        line = items[place].line(zone, min(LONGEST_LINE, left))
        left -= len(line) + 1
        if len(lines) == LISTED or (lines and left < 0):
            break
        lines[place] = line
    left_out = len(items) - len(lines)
    listed = [lines[place] for place in sorted(lines)]
    return "\n".join([*listed, f"and {left_out} more"] if left_out else listed)
