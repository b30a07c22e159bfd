"""Checkpoints: from the components that remember to the parts of a snapshot, and back.

A component is anything that has `state()` and `load()`. Some hold rows, one for each sensor or device, and save any
range of them. Components stand in the order in which readings pass through them, and are loaded in it: what one
remembers follows from the readings and from the components before it alone.

Nothing that a snapshot says is called damage here. A part of another version, or one that can't be read, is left out,
and its component is missing; so is one that the snapshot doesn't know. What is missing is learned again from the
journal, see `edge.core.persistence.relearning`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from detectors.state import StateError
from edge.core.persistence.journal import ClockStep, CommandApplied, Readings, SensorsForgotten
from edge.core.persistence.journal import Part as JournalPart
from edge.core.persistence.snapshot import SENSORS, KnownSensor, Part, Snapshot

ROWS = 5_000
"""Rows of a component that make one part, unless `Saving` is told otherwise."""


class Remembers(Protocol):
    """Something that remembers as a whole."""

    def state(self) -> bytes:
        """All that it remembers."""

    def load(self, state: bytes) -> None:
        """Remember what the state says.

        Raises:
            StateError: The state can't be read.
        """


class RemembersRows(Protocol):
    """Something that remembers row by row."""

    def state(self, first: int, last: int) -> bytes:
        """Its state of the rows from `first` to before `last`."""

    def load(self, first: int, state: bytes) -> None:
        """Remember what the state says of the rows from `first` on; there is room for them.

        Raises:
            StateError: The state can't be read.
        """


@dataclass(frozen=True)
class Component:
    """A component of a snapshot.

    Attributes:
        name: Its name in snapshots.
        version: Of its encoding. A state of another version is not loaded.
        rows: Number of its rows; None if it has no rows.
        state: Encodes some of its rows.
        load: Takes over rows, from the one that is given on.
    """

    name: str
    version: int
    rows: Callable[[], int] | None
    state: Callable[[int, int], bytes]
    load: Callable[[int, bytes], None]


def whole(name: str, what: Remembers, version: int = 1) -> Component:
    """A component without rows."""
    return Component(name, version, None, lambda _first, _last: what.state(), lambda _first, state: what.load(state))


def by_row(name: str, what: RemembersRows, rows: Callable[[], int], version: int = 1) -> Component:
    """A component that has rows."""
    return Component(name, version, rows, what.state, what.load)


Stage = tuple[Component, ...]
"""Components that depend on each other row by row, so that the same rows of all of them are saved together."""


class Saving:
    """Takes a snapshot bit by bit, while readings go on coming.

    Each step of the iteration gives parts that hold as of now. What stands before a component changes it, and nothing
    behind it does; so a recovery that goes through the journal from the first parts on, and loads each part where it
    was taken, arrives at the same state, whatever it made of components that weren't loaded yet. That holds as long as
    nothing comes in between of which a later component tells an earlier one: see `breaks()`.

    Args:
        known: Gives the sensors from a slot to before another.
        sensors: Current number of sensors. Sensors found later are in the journal from their first reading.
        stages: The components to save, in the order in which readings pass them.

    Attributes:
        first_rows: Maximum number of rows of each stage in the first step.
        rows: Number of rows in the next step.
    """

    def __init__(self, known: Callable[[int, int], list[KnownSensor]], sensors: int, stages: Sequence[Stage]) -> None:
        self._known = known
        self._sensors = sensors
        self._stages = [(stage, stage[0].rows and stage[0].rows()) for stage in stages]
        self.first_rows = self.rows = ROWS

    def __iter__(self) -> Iterator[list[Part]]:
        """The parts, in the order in which they are to be loaded."""
        for first, last in self._ranges(self._sensors):
            yield [Snapshot.sensors(self._known(first, last), first)]
        for stage, rows in self._stages:
            for first, last in self._ranges(rows or 0):
                yield [Part(each.name, each.version, first, each.state(first, last)) for each in stage]

    def _ranges(self, count: int) -> Iterator[tuple[int, int]]:
        self.rows = self.first_rows
        last = min(self.rows, count)
        yield 0, last
        while last < count:
            first, last = last, min(last + self.rows, count)
            yield first, last


def breaks(part: JournalPart) -> bool:
    """Whether a snapshot that isn't complete is worth nothing after this, and has to be begun anew.

    A clock that is set back is set by what sensors have said; an interruption, and a leap of the senders' clocks, are
    forgiven by all of them together; and what the operator says is about incidents that are open, as is what is
    forgotten.
    """
    if isinstance(part, Readings):
        return part.interrupted or bool(part.leaps)
    return isinstance(part, ClockStep | CommandApplied | SensorsForgotten)


class Loading:
    """Gives components what a snapshot says of them, part by part.

    Args:
        components: All there are.

    Attributes:
        missing: The components that can't be read or aren't known, each with the reason.
    """

    def __init__(self, components: Iterable[Component]) -> None:
        self._known = {each.name: each for each in components}
        self._present: set[str] = set()
        self.missing: dict[str, str] = {}

    def load(self, part: Part) -> None:
        """Load a part, unless it is of another version or can't be read; the sensors must be known by now."""
        name, component = part.component, self._known.get(part.component)
        self._present.add(name)
        if component is None:
            if name != SENSORS:
                self.missing[name] = "unknown to this version"
        elif part.version != component.version:
            self.missing[name] = f"in version {part.version}, this one knows {component.version}"
        else:
            try:
                component.load(part.first, part.state)
            except StateError as error:
                self.missing[name] = str(error)

    def finish(self) -> dict[str, str]:
        """No more parts will come; returns all components that are missing, each with the reason."""
        absent = self._known.keys() - self._present
        self.missing |= {name: "not in the snapshot" for name in self._known if name in absent}
        return self.missing


def load(components: Iterable[Component], parts: Iterable[Part]) -> dict[str, str]:
    """Give components what parts say of them; returns those that are missing, each with the reason."""
    loading = Loading(components)
    for part in parts:
        loading.load(part)
    return loading.finish()
