"""Conventions: the keys of an input for a family of devices, one TOML file each in `config/conventions`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from config.notation.availability import availability_of
from config.problems import suggestion

CONVENTIONS = Path(__file__).parents[1] / "conventions"


class Example(NamedTuple):
    """A message of a convention, with the resulting readings.

    Attributes:
        topic: Topic of the message.
        payload: Payload of the message.
        sensors: Values of the resulting sensors, by name.
        hexadecimal: Whether the payload is binary, written in hexadecimal.
    """

    topic: str
    payload: str
    sensors: Mapping[str, float]
    hexadecimal: bool = False

    def to_bytes(self) -> bytes:
        """The payload."""
        return bytes.fromhex(self.payload) if self.hexadecimal else self.payload.encode()


class Convention(NamedTuple):
    """A convention.

    Attributes:
        name: Its name in configurations.
        title: Its title.
        source: URL of its documentation.
        note: A note for operators.
        fields: Fields that every payload has, which distinguish it from others on such topics.
        instead: Another convention with the same data, which is used instead if a device follows it; empty if there is
            none.
        keys: Keys of the input.
        examples: Sample messages.
    """

    name: str
    title: str
    source: str
    note: str
    fields: tuple[str, ...]
    instead: str
    keys: Mapping[str, Any]
    examples: tuple[Example, ...]


@lru_cache(maxsize=1)
def conventions() -> Mapping[str, Convention]:
    """The included conventions by name."""
    found = {}
    for each in sorted(CONVENTIONS.glob("*.toml")):
        table = tomllib.loads(each.read_text("utf-8"))
        found[each.stem] = Convention(
            name=each.stem,
            title=table["title"],
            source=table["source"],
            note=table["note"],
            fields=tuple(table.get("fields", ())),
            instead=table.get("instead", ""),
            keys=table["input"],
            examples=tuple(Example(**one) for one in table["example"]),
        )
    return found


def convention_problem(name: str) -> str | None:
    """The problem with the name of a convention, or None."""
    return None if name in conventions() else f"isn't a convention{suggestion(name, conventions())}"


def with_convention(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """The keys of an input, completed by those of its convention that are compatible."""
    name = keys.get("convention")
    if not isinstance(name, str) or name not in conventions():
        return keys
    made = {**conventions()[name].keys, **keys}
    if "availability" in made and "availability" not in keys:
        try:
            availability_of(made["availability"], str(made["topic"]), str(made["sensor"]))
        except ValueError:  # the operator's own topics and names aren't subject to this
            del made["availability"]
    return made
