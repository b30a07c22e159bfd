"""Options of an input for objects: ignored fields, arrays of readings, and fields that identify the sender."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from config.notation.topics import glob_pattern
from edge.core.intake.decoders.documents.keys.time_keys import TimeKeys
from edge.core.intake.decoders.notation.text_numbers import TextNumbers
from edge.core.model.readings.messages import Refused

LONGEST_NAME = 100
"""Maximum length in characters of each field that identifies the sender."""


class Items(NamedTuple):
    """An array whose elements are separate readings, or an object that contains all readings.

    Attributes:
        is_list: Whether it is an array.
        at: Keys that lead to it; empty if the payload itself is the array.
        name: Template of an element's path; `{id}` stands for the element's field `id`, `{index}` for its position.
    """

    is_list: bool
    at: tuple[str, ...]
    name: str

    @classmethod
    def of(cls, items: str, name: str) -> Items:
        """Parse `values[*]` or `data.object`, with dots between keys, or `[*]` for the payload itself."""
        path = items.removesuffix("[*]")
        return cls(path != items, tuple(path.split(".")) if path else (), name)

    def name_of(self, element: Mapping[str, Any], index: int) -> str | None:
        """The path of an element; None if a field used in the template is missing."""
        missing = False

        def fill(found: re.Match[str]) -> str:
            nonlocal missing
            text = str(index) if found[1] == "index" else identifying_text(element.get(found[1]))
            missing = missing or text is None
            return text or ""

        made = _PLACEHOLDER.sub(fill, self.name)
        return None if missing or not made else made


_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Ignored:
    """The fields to leave out, selected by globs on their paths.

    Args:
        globs: A glob that matches an object or an array leaves out all of it.
    """

    __slots__ = ("_fits",)

    def __init__(self, globs: Sequence[str]) -> None:
        together = "|".join(f"(?:{glob_pattern(each).pattern})" for each in globs)
        self._fits = re.compile(together, re.DOTALL).fullmatch if globs else None

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return self._fits is not None

    def fits(self, path: str) -> bool:
        """Whether a field is left out."""
        return self._fits is not None and self._fits(path) is not None


class SenderFields(NamedTuple):
    """The payload fields that identify the sender, for use in sensor names.

    Attributes:
        fields: The keys that lead to each field; an optional field ends in `?`.
    """

    fields: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, placeholders: Sequence[str]) -> SenderFields:
        """Parse placeholders of a template: `payload.deviceInfo.devEui`, `payload.channel?`."""
        return cls(tuple(tuple(each.split(".")[1:]) for each in placeholders))

    def ask(self, document: Any) -> list[str]:
        """The values of the fields in order; an empty string for a missing optional field.

        An object, such as a set of tags, gives all of its strings and integers in the order of its keys, joined by
        slashes.

        Raises:
            Refused: A required field is missing or empty.
        """
        answers = []
        for keys in self.fields:
            found, optional = document, keys[-1].endswith("?")
            for key in (*keys[:-1], keys[-1].removesuffix("?")):
                found = found.get(key) if isinstance(found, dict) else None
            text = identifying_texts(found)
            if text is None and not optional:
                raise Refused("no_sender", f"there is no text or whole number at {'.'.join(keys)}")
            answers.append(text or "")
        return answers

    def top_level(self) -> frozenset[str]:
        """Those of the fields that are top-level keys of the document, and therefore not readings."""
        return frozenset(each[0].removesuffix("?") for each in self.fields if len(each) == 1)


class Options(NamedTuple):
    """How a document is read; see `FieldsDecoder`."""

    value_key: str
    times: TimeKeys
    texts: TextNumbers
    absent: frozenset[float]
    ignored: Ignored
    items: Items | None
    sender: SenderFields
    names_devices: bool
    depth: int
    most: int


def identifying_texts(tags: object) -> str | None:
    """The identifying text of an object's fields; None if there are none, too many, or one that is unusable.

    Args:
        tags: The object. Any other value has a text of its own.
    """
    if not isinstance(tags, dict):
        return identifying_text(tags)
    texts = [identifying_text(tags[key]) for key in sorted(tags)]
    together = "/".join(each for each in texts if each is not None)
    return together if texts and None not in texts and len(together) <= LONGEST_NAME else None


def identifying_text(value: object) -> str | None:
    """The identifying text of a field; None if it is neither a string nor an integer usable in a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**18 else None
    if not isinstance(value, str) or not value or len(value) > LONGEST_NAME or not value.isprintable():
        return None
    return value.strip().replace("%", "%25").replace("/", "%2F") or None
