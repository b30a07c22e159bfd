"""Choosing: the user's selection on the screen, and the effect of keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.commands.screen.picture import Picture
from edge.commands.support.printing.durations import epoch
from edge.core.incidents.events.event import severity_name
from edge.shell.store.reading.overview import OpenIncident

LONGEST = 200
"""Maximum number of characters in an answer."""

PAGE = 10


class ListLine(NamedTuple):
    """A selectable line.

    Attributes:
        sensor: Name of the sensor or device.
        incident: The open incident, for a line in the list of incidents.
        state: State of a sensor: `open` with severity, `silent`, `muted`, `new` or `ok`.
        severity: INFO, WARN, ERROR or FATAL; empty without an open incident.
        sentence: Description of the fault; empty without an open incident.
    """

    sensor: str
    incident: OpenIncident | None
    state: str
    severity: str
    sentence: str

    @property
    def since(self) -> float:
        """Start of the incident, seconds since the epoch; 0 without one."""
        return 0.0 if self.incident is None else epoch(self.incident.event["data"]["started"])

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the line, also in later pictures."""
        return self.sensor, "" if self.incident is None else self.incident.event["data"]["incident"]


class Choice:
    """Selection, filter, and pending question.

    Args:
        say: Sends a command to the service, given its name and fields.
        recent: Returns the recent readings of a sensor.

    Attributes:
        incidents: Open incidents that match the filter, worst first.
        sensors: Sensors that match the filter, by name.
        filter: Text contained in the names shown; empty for all.
        position: Index of the selected line among incidents followed by sensors.
        opened: The line shown in detail; None for the lists.
        scroll: Scroll position of the detail view.
        message: Result of the last command.
        ended: Whether the user has quit.
    """

    def __init__(self, say: Callable[..., None], recent: Callable[[str], Sequence[float]]) -> None:
        self._say, self.recent = say, recent
        self.incidents: list[ListLine] = []
        self.sensors: list[ListLine] = []
        self.filter, self.message = "", ""
        self.position, self.scroll = 0, 0
        self.opened: ListLine | None = None
        self.ended = False
        self._states: dict[str, str] = {}
        self._picture: Picture | None = None
        self._asked: tuple[str, Callable[[str], None]] | None = None
        self._answer = ""

    def show(self, picture: Picture) -> None:
        """Update to a new picture; the selection is kept if it still exists."""
        before = self.selected()
        self._picture = picture
        of_groups = {
            name: each for each in reversed(picture.incidents) for name in each.event["data"].get("sensors", ())
        }
        by_sensor = of_groups | {each.sensor: each for each in picture.incidents}
        wanted = self.filter.casefold()
        self.incidents = [
            _item(each.sensor, each, each) for each in picture.incidents if wanted in each.sensor.casefold()
        ]
        self._states = {name: _state(row["readings"], by_sensor.get(name)) for name, row in picture.sensors.items()}
        self.sensors = [
            _item(name, None, by_sensor.get(name), self._states[name])
            for name in picture.sensors
            if wanted in name.casefold()
        ]
        if before is not None:
            keys = [each.key for each in self._all]
            self.position = keys.index(before.key) if before.key in keys else self.position
        self._move_to(self.position)

    @property
    def _all(self) -> list[ListLine]:
        return self.incidents + self.sensors

    def selected(self) -> ListLine | None:
        """The line selected or shown in detail; None if there is none."""
        if self.opened is not None:
            return self.opened
        return self._at(self.position)

    def _at(self, position: int) -> ListLine | None:
        if position < len(self.incidents):
            return self.incidents[position]
        position -= len(self.incidents)
        return self.sensors[position] if position < len(self.sensors) else None

    def state_of(self, sensor: str) -> str:
        """The state of a sensor."""
        return self._states.get(sensor, "ok")

    def limit_scroll(self, most: int) -> None:
        """Limit the scroll position."""
        self.scroll = max(0, min(self.scroll, most))

    def question(self) -> str:
        """The pending question and the text typed so far; empty if there is none."""
        return "" if self._asked is None else f"{self._asked[0]} {self._answer}_"

    def press(self, key: str) -> None:
        """Handle a key: a character, or a name such as `Up` and `Enter`."""
        if self._asked is not None:
            self._type(key)
            return
        self.message = ""
        if key in {"q", "Q"}:
            self.ended = True
        elif key in MOVES:
            self._go(MOVES[key])
        elif key in {"Enter", "Right"}:
            self.opened, self.scroll = (self.selected(), 0) if self.opened is None else (None, 0)
        elif key in {"Escape", "Left", "Backspace"}:
            self._back()
        elif key == "/":
            self.opened = None
            self._ask("Only names with:", self._filter, self.filter)
        elif key in {"a", "m", "u", "n"}:
            self._act(key)

    def _go(self, by: int) -> None:
        if self.opened is not None:
            self.scroll = max(0, self.scroll + by)
        else:
            self._move_to(self.position + by)

    def _move_to(self, position: int) -> None:
        self.position = max(0, min(position, len(self.incidents) + len(self.sensors) - 1))

    def _back(self) -> None:
        if self.opened is not None:
            self.opened = None
        elif self.filter:
            self._filter("")

    def _filter(self, text: str) -> None:
        self.filter, self.position = text.strip(), 0
        if self._picture is not None:
            self.show(self._picture)
        self._move_to(0)

    def _act(self, key: str) -> None:
        item = self.selected()
        if item is None or self._picture is None:
            return
        sensor = item.sensor
        incident = next((each for each in self._picture.incidents if each.sensor == sensor), None)
        if key == "m":
            until = "Mute until (1h, 8h, 3d, 06:00):"
            self._ask(until, lambda text: self._say("shelve", sensor=sensor, until=text), "1h")
        elif key == "u":
            self._say("unshelve", sensor=sensor)
        elif incident is None:
            self.message = "It has no open incident."
        elif key == "a":
            self._say("acknowledge", incident=incident.event["data"]["incident"])
        else:
            identity = incident.event["data"]["incident"]
            words = "The incident ends, and the detectors learn this. Is it normal? y/n:"
            self._ask(words, lambda text: self._say("normal", incident=identity) if text in {"y", "Y"} else None)

    def _ask(self, words: str, then: Callable[[str], None], answer: str = "") -> None:
        self._asked, self._answer = (words, then), answer

    def _type(self, key: str) -> None:
        assert self._asked is not None  # noqa: S101 - asked for by press()
        if key == "Enter":
            then, self._asked = self._asked[1], None
            then(self._answer)
        elif key == "Escape":
            self._asked = None
        elif key == "Backspace":
            self._answer = self._answer[:-1]
        elif key == "Clear":
            self._answer = ""
        elif len(key) == 1 and key.isprintable() and len(self._answer) < LONGEST:
            self._answer += key


MOVES = {
    "Up": -1,
    "k": -1,
    "Down": 1,
    "j": 1,
    "PageUp": -PAGE,
    "PageDown": PAGE,
    " ": PAGE,
    "Home": -(10**9),
    "g": -(10**9),
    "End": 10**9,
    "G": 10**9,
}


def _item(sensor: str, incident: OpenIncident | None, known: OpenIncident | None, state: str = "") -> ListLine:
    severity = "" if known is None else severity_name(known.severity)[0]
    word = f"{state} {severity}" if state == "open" else state
    return ListLine(sensor, incident, word, severity, "" if known is None else known.sentence)


def _state(readings: int, incident: OpenIncident | None) -> str:
    if incident is None:
        return "ok" if readings else "new"
    data = incident.event["data"]
    return "muted" if data["shelved"] else "silent" if data["kind"] == "missing" else "open"
