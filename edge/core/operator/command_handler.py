"""The command handler: carries out operator commands and answers them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from config.notation.calendar import Window, rule_problem
from config.notation.topics import glob_problem
from edge.core.incidents.events.event import Event, timestamp
from edge.core.incidents.events.incident_events import IncidentEvents
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Message
from edge.core.model.sensors.sensors import is_device
from edge.core.operator.commands import (
    LARGEST_PAYLOAD,
    REASONS,
    Acknowledge,
    Command,
    CommandRefused,
    EndMaintenance,
    Forget,
    Maintenance,
    Normal,
    Shelve,
    Unshelve,
    decode,
    moment,
)
from edge.core.operator.shelves import SHELVES, WINDOWS, ExecutedCommand, Shelf
from edge.core.operator.suppression import Suppression

LONGEST_SHOWN = 64
LISTED = 20
"""Maximum number of incidents named in an answer, which also gives their total."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The result of a command.

    Attributes:
        id: ID of the command.
        command: Name of the command.
        ok: Whether it was carried out.
        time: Time of arrival.
        reason: A key of `words.REASONS` if it was rejected.
        message: A sentence for a person.
        incidents: IDs of the incidents that it changed.
        repeated: Whether it was carried out before, so that nothing was done now.
    """

    id: str | None
    command: str
    ok: bool
    time: str
    message: str
    reason: str | None = None
    incidents: list[str] = []
    repeated: bool = False


def refusal_json(name: str, message: Message, refused: CommandRefused) -> bytes:
    """The answer to a rejected command; its ID is extracted even if the rest is invalid."""
    answer = Answer(
        id=_id_of(message.payload),
        command=name[:LONGEST_SHOWN].encode("utf-8", "replace").decode(),
        ok=False,
        time=timestamp(message.arrived),
        reason=refused.reason,
        message=refused.detail or REASONS[refused.reason],
    )
    return msgspec.json.encode(answer)


def _id_of(payload: bytes) -> str | None:
    if len(payload) > LARGEST_PAYLOAD:
        return None
    try:
        return msgspec.json.decode(payload, type=_OnlyId).id[:LONGEST_SHOWN]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


class _OnlyId(msgspec.Struct):
    id: str


class CommandHandler:
    """Carries out commands.

    Args:
        watch: The engine with suppression applied.
        published: The incidents known to subscribers.

    Attributes:
        forgetting: Slots of the sensors that the last command forgets; the consumer empties it.
        remark: User and comment of the last command.
    """

    def __init__(self, watch: Suppression, published: IncidentEvents) -> None:
        self._watch = watch
        self._sensors = published.names
        self._open_incidents = published.open_incidents
        self._grouping = published.grouping
        self.forgetting: list[int] = []
        self.remark = ("", "")

    def follow(self, name: str, payload: bytes, arrived: float, clock: float) -> tuple[list[IncidentChange], Answer]:
        """Carry out a command once.

        Args:
            name: Name of the command.
            payload: Payload of the command.
            arrived: Time of arrival, in seconds since the epoch.
            clock: The stream clock.

        Returns:
            The resulting incident changes, and the answer.

        Raises:
            CommandRefused: Nothing was done.
        """
        word = decode(name, payload)
        checksum = zlib.crc32(payload, zlib.crc32(name.encode()))
        earlier = self._watch.shelving.remembered.get(word.id) if word.id is not None else None
        if earlier is not None:
            if earlier.checksum != checksum:
                raise CommandRefused("id_reused")
            return [], msgspec.structs.replace(msgspec.json.decode(earlier.answer, type=Answer), repeated=True)
        self.remark = _remark(word)
        findings, message = (
            ([], self._forget(word)) if isinstance(word, Forget) else self._act(word, max(clock, arrived))
        )
        known = self._open_incidents.events
        names = dict.fromkeys(self._sensors[self._grouping.leader(each.slot)] for each in findings)
        incidents = [known[each].incident for each in islice(names, LISTED) if each in known]
        answer = Answer(
            id=word.id, command=name, ok=True, time=timestamp(arrived), message=message, incidents=incidents
        )
        if word.id is not None:
            self._watch.shelving.remember(word.id, ExecutedCommand(checksum, msgspec.json.encode(answer)))
        return findings, answer

    def remembers(self, payload: bytes) -> bool:
        """Whether a command with this ID was carried out."""
        return _id_of(payload) in self._watch.shelving.remembered

    def _act(self, word: Command, now: float) -> tuple[list[IncidentChange], str]:
        match word:
            case Acknowledge():
                return self._acknowledge(word)
            case Normal():
                return self._adopt(word)
            case Shelve():
                return self._shelve(word, now)
            case Unshelve():
                return self._unshelve(word)
            case Maintenance():
                return self._declare(word, now)
            case EndMaintenance():
                return self._withdraw(word)
            case _:  # decode() knows no other
                raise AssertionError(word)

    def _forget(self, word: Forget) -> str:
        _check_pattern(word.sensor)
        chosen = [each for each in self._watch.shelving.matching(word.sensor) if not is_device(self._sensors[each])]
        if not chosen:
            raise CommandRefused("no_sensor")
        self.forgetting = sorted(chosen)
        return f"{len(chosen)} sensors are forgotten" if len(chosen) > 1 else f"{self._sensors[chosen[0]]} is forgotten"

    def _acknowledge(self, word: Acknowledge) -> tuple[list[IncidentChange], str]:
        findings = []
        for slot in self._open(word):
            incident = self._watch.incident(slot)
            if not incident.acknowledged:
                incident.acknowledged = True
                findings.append(self._watch.mention(slot, Transition.ACKNOWLEDGED, _remark(word)))
        return findings, f"{len(findings)} acknowledged"

    def _adopt(self, word: Normal) -> tuple[list[IncidentChange], str]:
        meant = self._open(word, hidden=True)
        adoptable = [each for each in meant if self._watch.is_adoptable(each)]
        beyond = sum(self._watch.has_limits(each) for each in meant)
        if not adoptable:
            raise CommandRefused("beyond_limit")
        findings = [finding for slot in adoptable for finding in self._watch.adopt(slot, _remark(word))]
        stay = f"; {beyond} stay open, as the configuration says" if beyond else ""
        return findings, f"{len(adoptable)} taken as normal{stay}"

    def _open(self, word: Acknowledge | Normal, *, hidden: bool = False) -> list[int]:
        """Slots of the open incidents that the command selects, in order.

        Raises:
            CommandRefused: There is none, or the selection is incomplete.
        """
        shelving, events = self._watch.shelving, self._open_incidents.events
        if isinstance(word.sensor, str) and not isinstance(word.incident, str):
            _check_pattern(word.sensor)
            chosen = shelving.matching(word.sensor)
            chosen = chosen.union(*(self._grouping.members(slot) for slot in chosen))
        elif isinstance(word.incident, str) and not isinstance(word.sensor, str):
            chosen = {slot for slot in self._watch.open_slots() if self._is_it(slot, word.incident, events)}
        else:
            raise CommandRefused("malformed", "give either sensor or incident")
        meant = [
            each for each in self._watch.open_slots() if each in chosen and (hidden or each not in shelving.untold)
        ]
        if not meant:
            raise CommandRefused("no_open_incident")
        return meant

    def _is_it(self, slot: int, incident: str, events: Mapping[str, Event]) -> bool:
        event = events.get(self._sensors[self._grouping.leader(slot)])
        return event is not None and event.incident == incident

    def _shelve(self, word: Shelve, now: float) -> tuple[list[IncidentChange], str]:
        _check_pattern(word.sensor)
        until = moment(word.until, now)
        shelving = self._watch.shelving
        if word.sensor not in shelving.shelves and len(shelving.shelves) >= SHELVES:
            raise CommandRefused("too_many", f"{SHELVES} sensors or patterns are shelved")

        def shelve() -> None:
            shelving.shelves[word.sensor] = Shelf(until, word.by, word.comment)

        findings = self._watch.declare(shelve, _remark(word))
        return findings, f"{_are_shelved(len(shelving.matching(word.sensor)))} until {timestamp(until)}"

    def _unshelve(self, word: Unshelve) -> tuple[list[IncidentChange], str]:
        shelving = self._watch.shelving
        if word.sensor not in shelving.shelves:
            wider = [
                each for each in sorted(shelving.shelves) if shelving.matching(each) & shelving.matching(word.sensor)
            ]
            raise CommandRefused("not_shelved", f"{', '.join(wider[:5])} is" if wider else "")

        def unshelve() -> None:
            del shelving.shelves[word.sensor]

        return self._watch.declare(unshelve, _remark(word)), f"{word.sensor} is no longer shelved"

    def _declare(self, word: Maintenance, now: float) -> tuple[list[IncidentChange], str]:
        _check_pattern(word.sensor)
        shelving = self._watch.shelving
        if any(each.name == word.name for each in shelving.configured):
            raise CommandRefused("bad_window", "the configuration has a window of this name")
        if word.name not in shelving.windows and len(shelving.windows) >= WINDOWS:
            raise CommandRefused("too_many", f"{WINDOWS} windows stand")
        window = _window(word, now)

        def declare() -> None:
            shelving.windows[word.name] = window

        when = word.every if window.every else f"until {timestamp(window.end)}"
        return self._watch.declare(declare, _remark(word)), f"maintenance {word.name}: {word.sensor} {when}"

    def _withdraw(self, word: EndMaintenance) -> tuple[list[IncidentChange], str]:
        shelving = self._watch.shelving
        if word.name not in shelving.windows:
            raise CommandRefused("no_window")

        def withdraw() -> None:
            del shelving.windows[word.name]

        return self._watch.declare(withdraw, _remark(word)), f"maintenance {word.name} is over"


def _window(word: Maintenance, now: float) -> Window:
    every = word.every if isinstance(word.every, str) else ""
    start, end = (each if isinstance(each, str) else None for each in (word.start, word.end))
    if bool(every) == bool(end) or (every and start):
        raise CommandRefused("bad_window", "give either every, or to and perhaps from")
    about = {"learn": word.learn, "by": word.by, "comment": word.comment}
    if not every:
        until = moment(end or "", now)
        since = -math.inf if start is None else _since(start, now)
        if since >= until:
            raise CommandRefused("bad_window", "it ends before it begins")
        return Window(word.name, word.sensor, since, until, **about)  # type: ignore[arg-type]
    problem = rule_problem(every)
    if problem:
        raise CommandRefused("bad_window", problem)
    try:
        ZoneInfo(word.zone)
    except (KeyError, ValueError, OSError):
        raise CommandRefused("bad_window", f"{word.zone} is no time zone; write Europe/Berlin") from None
    return Window(word.name, word.sensor, every=every, zone=word.zone, **about)  # type: ignore[arg-type]


def _since(text: str, now: float) -> float:
    """Start of a window that occurs once; a past time counts as now."""
    try:
        return moment(text, now)
    except CommandRefused as refused:
        if refused.detail == "it has passed already":
            return -math.inf
        raise


def _check_pattern(pattern: str) -> None:
    problem = glob_problem(pattern)
    if problem:
        raise CommandRefused("bad_pattern", problem)


def _remark(word: Command) -> tuple[str, str]:
    return word.by, word.comment


def _are_shelved(count: int) -> str:
    if not count:
        return "no known sensor matches; sensors found later that match are shelved"
    return "1 sensor is shelved" if count == 1 else f"{count} sensors are shelved"
