"""Shelves: operator commands that are still in effect, and the sensors that they apply to.

The number of patterns, windows and recorded command IDs is bounded. `reached` is the stream-clock time up to which
shelves and windows were evaluated; `boundary` is the next time at which they may change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from config.notation.calendar import Window
from config.notation.topics import glob_pattern
from edge.core.incidents.events.event import timestamp
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.vacancies import is_vacant

SHELVES = 256
WINDOWS = 64
REMEMBERED = 512
"""Maximum number of shelved patterns, of windows declared by commands, and of command IDs recorded."""


@dataclass(frozen=True)
class Shelf:
    """A shelf: until when, by whom and why."""

    until: float
    by: str = ""
    comment: str = ""


class ExecutedCommand(msgspec.Struct, array_like=True, frozen=True):
    """A command that was carried out: its checksum and its answer."""

    checksum: int
    answer: bytes


class ShelvesState(msgspec.Struct):
    """State of the shelves in a snapshot; see `Shelves`."""

    shelves: dict[str, Shelf] = {}
    windows: dict[str, Window] = {}
    remembered: dict[str, ExecutedCommand] = {}
    suppressed: list[int] = []
    reached: float = -math.inf


class Shelves:
    """The shelves and windows.

    Args:
        configured: Maintenance windows of the configuration.

    Attributes:
        shelves: Shelves by sensor or pattern.
        windows: Windows declared by commands, by name.
        remembered: Recent commands by ID.
        untold: Slots of the sensors with an open incident that wasn't published.
        suppressed: Slots of the sensors that are shelved or under maintenance.
        protected: Slots of the sensors for which learning is disabled.
        reached: The stream-clock time for which this holds.
        boundary: The next moment at which it may change.
        changed: Whether `listing()` has changed since this was last set to False.
        hides: False to show the state as it would be without shelves and windows.
    """

    def __init__(self, configured: Sequence[Window] = ()) -> None:
        self.configured = tuple(configured)
        self.shelves: dict[str, Shelf] = {}
        self.windows: dict[str, Window] = {}
        self.remembered: dict[str, ExecutedCommand] = {}
        self.untold: set[int] = set()
        self.suppressed: frozenset[int] = frozenset()
        self.protected: frozenset[int] = frozenset()
        self.reached = -math.inf
        self.boundary = -math.inf if configured else math.inf
        self.changed = False
        self.hides = True
        self._names: list[str] = []
        self._matches: dict[str, set[int]] = {}

    def register_sensors(self, names: Sequence[str]) -> None:
        """Register all sensors, new ones last; patterns apply to them at once."""
        first = len(self._names)
        if len(names) == first:
            return
        self._names += names[first:]
        for pattern, slots in self._matches.items():
            slots.update(self._matching(pattern, first))
        if self._matches:
            quiet, protected = self._now(self.reached)
            self.suppressed |= {each for each in quiet if each >= first}
            self.protected = protected

    def rename(self, slots: Collection[int], names: Sequence[str]) -> None:
        """Record that slots were reused or vacated; patterns apply to the new sensors at once.

        Args:
            slots: The changed slots.
            names: Names of all sensors.
        """
        renamed = frozenset(slots)
        for slot in renamed:
            self._names[slot] = names[slot]
        for pattern, matching in self._matches.items():
            fits = glob_pattern(pattern).fullmatch
            matching.difference_update(renamed)
            matching.update(slot for slot in renamed if _does_fit(fits, names[slot]))
        self.untold -= renamed
        quiet, protected = self._now(self.reached)
        self.suppressed = (self.suppressed - renamed) | (quiet & renamed)
        self.protected = protected

    def matching(self, pattern: str) -> set[int]:
        """The slots of the sensors that a pattern matches."""
        known = self._matches.get(pattern)
        return set(self._matching(pattern, 0)) if known is None else known

    def advance(self, to: float) -> None:
        """Evaluate everything at a time and drop what has ended."""
        self.reached = max(self.reached, to)
        self.refresh()

    def refresh(self) -> None:
        """Evaluate everything again at `reached`."""
        now = self.reached
        for pattern in [each for each, shelf in self.shelves.items() if shelf.until <= now]:
            del self.shelves[pattern]
        for name in [each for each, window in self.windows.items() if window.end <= now]:
            del self.windows[name]
        patterns = {*self.shelves, *(each.sensors for each in self.all_windows())}
        self._matches = {each: self.matching(each) for each in patterns}
        self.suppressed, self.protected = self._now(now)
        self._find_boundary()
        self.changed = True

    def all_windows(self) -> Iterable[Window]:
        """The windows of the configuration, then those declared by commands."""
        return (*self.configured, *self.windows.values())

    def remember(self, identity: str, remembered: ExecutedCommand) -> None:
        """Record a command that was carried out; the oldest record is dropped."""
        self.remembered[identity] = remembered
        if len(self.remembered) > REMEMBERED:
            del self.remembered[next(iter(self.remembered))]

    def state(self) -> bytes:
        """The shelves and windows, for `load()`."""
        return encode(ShelvesState(self.shelves, self.windows, self.remembered, sorted(self.suppressed), self.reached))

    def load(self, state: bytes) -> None:
        """Load a saved state; differences in the configuration take effect now.

        Raises:
            StateError: It can't be read.
        """
        saved = decode(state, ShelvesState)
        self.shelves, self.windows, self.remembered = saved.shelves, saved.windows, saved.remembered
        self.reached = saved.reached
        self.refresh()
        quiet, self.suppressed = self.suppressed, frozenset(saved.suppressed)
        if quiet != self.suppressed:
            self.boundary = self.reached

    def listing(self) -> bytes:
        """The shelved sensors and the maintenance windows, as in the retained topic."""
        now = self.reached
        return msgspec.json.encode(
            {
                "time": timestamp(now) if math.isfinite(now) else None,
                "shelved": [
                    {"sensor": pattern, "until": timestamp(each.until), "by": each.by, "comment": each.comment}
                    for pattern, each in sorted(self.shelves.items())
                ],
                "maintenance": [
                    {
                        "name": each.name,
                        "sensor": each.sensors,
                        "active": each.contains(now),
                        "from": timestamp(each.start) if math.isfinite(each.start) else None,
                        "to": timestamp(each.end) if math.isfinite(each.end) else None,
                        "every": each.every or None,
                        "zone": each.zone,
                        "learn": each.learn,
                        "configured": place < len(self.configured),
                        "by": each.by,
                        "comment": each.comment,
                    }
                    for place, each in enumerate(self.all_windows())
                ],
                "sensors_quiet": len(self.suppressed),
            }
        )

    def _now(self, now: float) -> tuple[frozenset[int], frozenset[int]]:
        """The suppressed sensors at a time, and those for which learning is disabled."""
        active = [each for each in self.all_windows() if each.contains(now)]
        quiet = [*self.shelves, *(each.sensors for each in active)] if self.hides else []
        protected = [each.sensors for each in active if not each.learn]
        return (
            frozenset().union(*(self._matches[each] for each in quiet)),
            frozenset().union(*(self._matches[each] for each in protected)),
        )

    def _matching(self, pattern: str, first: int) -> Iterable[int]:
        fits = glob_pattern(pattern).fullmatch
        return (slot for slot in range(first, len(self._names)) if _does_fit(fits, self._names[slot]))

    def _find_boundary(self) -> None:
        if self.reached == -math.inf and (self.configured or self.windows):
            self.boundary = -math.inf
            return
        changes = [each.until for each in self.shelves.values()]
        changes += [each.next_change(self.reached) for each in self.all_windows()]
        self.boundary = min(changes, default=math.inf)


def _does_fit(fits: Callable[[str], object], name: str) -> bool:
    return not is_vacant(name) and bool(fits(name))
