"""Checkpoints: converts components with state to parts of a snapshot, and back.

A component is any object with `state()` and `load()`. Some have rows, one for each sensor or device, and save any range
of them. Components are listed and loaded in the order in which readings pass through them: the state of each depends
only on the readings and on the components before it.

A snapshot's contents are never treated as damaged here. A part of another version, an unreadable part, or an unknown
component is skipped and counted as missing. Missing state is learned again from the journal, see
`edge.core.persistence.relearning`.
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
"""Default number of a component's rows in one part."""


class Stateful(Protocol):
    """An object with a single state."""

    def state(self) -> bytes:
        """The complete state."""

    def load(self, state: bytes) -> None:
        """Load a state.

        Raises:
            StateError: The state can't be read.
        """


class StatefulRows(Protocol):
    """An object with a state for each row."""

    def state(self, first: int, last: int) -> bytes:
        """The state of the rows in the range `first` to `last` (exclusive)."""

    def load(self, first: int, state: bytes) -> None:
        """Load the rows from `first` on; there must be room for them.

        Raises:
            StateError: The state can't be read.
        """


@dataclass(frozen=True)
class Component:
    """A component of a snapshot.

    Attributes:
        name: Its name in snapshots.
        version: Version of its encoding. A state of another version isn't loaded.
        rows: Returns the number of its rows; None if it has no rows.
        state: Encodes a range of its rows.
        load: Loads rows from a given one on.
        together: Returns a value that changes whenever rows change by each other, or by components after this one, so
            that what was saved before doesn't fit what is saved after. None if each row depends on its own readings
            only.
    """

    name: str
    version: int
    rows: Callable[[], int] | None
    state: Callable[[int, int], bytes]
    load: Callable[[int, bytes], None]
    together: Callable[[], object] | None = None


def whole(name: str, what: Stateful, version: int = 1) -> Component:
    """A component without rows."""
    return Component(name, version, None, lambda _first, _last: what.state(), lambda _first, state: what.load(state))


def by_row(
    name: str,
    what: StatefulRows,
    rows: Callable[[], int],
    version: int = 1,
    together: Callable[[], object] | None = None,
) -> Component:
    """A component with rows."""
    return Component(name, version, rows, what.state, what.load, together)


Stage = tuple[Component, ...]
"""Components that depend on each other row by row, so that the same rows of all of them are saved together."""


class SteppedSnapshot:
    """Takes a snapshot in steps while readings continue to arrive.

    Each step of the iteration yields parts valid at that moment. A component is affected by those before it and not by
    those after it. A recovery that replays the journal from the first parts on and loads each part where it was taken
    therefore reaches the same state, whatever it computed for components not loaded yet. This holds unless a later
    component affects an earlier one in between: see `breaks()` and `is_broken`.

    Args:
        known: Returns the sensors in a range of slots.
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
        self._began: list[tuple[Callable[[], object], object]] = []
        self.first_rows = self.rows = ROWS

    @property
    def is_broken(self) -> bool:
        """Whether rows have changed by each other since they were saved, so that the snapshot must be restarted."""
        return any(together() != began for together, began in self._began)

    def __iter__(self) -> Iterator[list[Part]]:
        """The parts in the order in which they must be loaded."""
        for first, last in self._ranges(self._sensors):
            yield [Snapshot.sensors(self._known(first, last), first)]
        for stage, rows in self._stages:
            self._began += [(each.together, each.together()) for each in stage if each.together is not None]
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
    """Whether this part invalidates an incomplete snapshot, which must then be restarted.

    Accepted clock steps depend on earlier sensor readings; interruptions and leaps of the senders' clocks affect all
    sensors together; commands and forgetting affect open incidents.
    """
    if isinstance(part, Readings):
        return part.interrupted or part.caught_up or bool(part.leaps)
    return isinstance(part, ClockStep | CommandApplied | SensorsForgotten)


EARLIER, NEW = "of an earlier version", "new in this version"
"""Why state is missing after an upgrade; the first is followed by the versions."""


def is_due_to_upgrade(reason: str) -> bool:
    """Whether state is missing for a reason that an upgrade explains."""
    return reason == NEW or reason.startswith(EARLIER)


class Loading:
    """Restores components from the parts of a snapshot.

    Args:
        components: All components.

    Attributes:
        missing: Components that are unreadable or unknown, each with the reason.
    """

    def __init__(self, components: Iterable[Component]) -> None:
        self._known = {each.name: each for each in components}
        self._present: set[str] = set()
        self.missing: dict[str, str] = {}

    def load(self, part: Part) -> None:
        """Load a part unless it has another version or is unreadable; its sensors must be registered."""
        name, component = part.component, self._known.get(part.component)
        self._present.add(name)
        if component is None:
            if name != SENSORS:
                self.missing[name] = "unknown to this version"
        elif part.version != component.version:
            when = EARLIER if part.version < component.version else "of a later version"
            self.missing[name] = f"{when}: {part.version}, this one knows {component.version}"
        else:
            try:
                component.load(part.first, part.state)
            except StateError as error:
                self.missing[name] = str(error)

    def finish(self) -> dict[str, str]:
        """Finish loading; returns all missing components, each with the reason."""
        absent = self._known.keys() - self._present
        self.missing |= {name: NEW for name in self._known if name in absent}
        return self.missing


def load(components: Iterable[Component], parts: Iterable[Part]) -> dict[str, str]:
    """Load components from parts; returns the missing ones, each with the reason."""
    loading = Loading(components)
    for part in parts:
        loading.load(part)
    return loading.finish()
