"""Checkpoints: from the components that remember to the parts of a snapshot, and back.

A component is anything that has `state()` and `load()`. Some hold rows, one for each sensor or device, and save any
range of them. Components stand in the order in which readings pass through them, and are loaded in it: what one
remembers follows from the readings and from the components before it alone.

Nothing that a snapshot says is called damage here. A part of another version, or one that can't be read, is left out,
and its component is missing; so is one that the snapshot doesn't know. What is missing is learned again from the
journal, see `edge.core.persistence.relearning`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from detectors.state import StateError
from edge.core.persistence.snapshot import SENSORS, KnownSensor, Part, Snapshot

ROWS = 5_000
"""Rows of a component that make one part."""


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
        """What it remembers of the rows from `first` to before `last`."""

    def load(self, first: int, state: bytes) -> None:
        """Remember what the state says of the rows from `first` on; there is room for them.

        Raises:
            StateError: The state can't be read.
        """


@dataclass(frozen=True)
class Component:
    """A component of a snapshot.

    Attributes:
        name: What it is called in snapshots.
        version: Of its encoding. A state of another version is not loaded.
        rows: How many rows it has now; None if it has no rows.
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


def save(known: list[KnownSensor], components: Sequence[Component], digest: str, inputs: str) -> Snapshot:
    """What components know.

    Args:
        known: The names of the sensors, by slot.
        components: In the order of the readings' way.
        digest: Of the configuration.
        inputs: Digest of what it says of inputs.
    """
    parts = [part for each in components for part in _parts_of(each)]
    return Snapshot(digest, inputs, [Snapshot.sensors(known), *parts])


def load(components: Sequence[Component], snapshot: Snapshot) -> dict[str, str]:
    """Give components what a snapshot says of them.

    The names of the sensors aren't loaded: they must be known by now.

    Returns:
        The components that are missing from it or can't be read, each with the reason.
    """
    missing: dict[str, str] = {}
    known = {each.name: each for each in components}
    for part in snapshot.parts:
        name, component = part.component, known.get(part.component)
        if component is None:
            if name != SENSORS:
                missing[name] = "unknown to this version"
        elif part.version != component.version:
            missing[name] = f"in version {part.version}, this one knows {component.version}"
        else:
            try:
                component.load(part.first, part.state)
            except StateError as error:
                missing[name] = str(error)
    present = {each.component for each in snapshot.parts}
    return missing | {name: "not in the snapshot" for name in known if name not in present}


def _parts_of(component: Component) -> Iterator[Part]:
    rows = 0 if component.rows is None else component.rows()
    for first in range(0, max(rows, 1), ROWS):
        yield Part(component.name, component.version, first, component.state(first, min(first + ROWS, rows)))
