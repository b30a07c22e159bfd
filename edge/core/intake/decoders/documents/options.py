"""What an input may say of objects: which fields are left out, which lists hold readings, who sent a payload."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from config.notation.topics import glob_pattern
from edge.core.model.readings.messages import Refused

MOST_SAID = 100
"""Characters that a payload may say of its sender, in each field."""


class Items(NamedTuple):
    """A list whose elements are readings of their own, or an object that holds all readings.

    Attributes:
        is_list: Whether it is a list.
        at: Keys that lead to it; empty if the payload itself is the list.
        name: Template of an element's path; `{id}` stands for the field `id` of the element, `{index}` for its place.
    """

    is_list: bool
    at: tuple[str, ...]
    name: str

    @classmethod
    def of(cls, items: str, name: str) -> Items:
        """From `values[*]` or `data.object`, with dots between keys, or `[*]` for the payload itself."""
        path = items.removesuffix("[*]")
        return cls(path != items, tuple(path.split(".")) if path else (), name)

    def name_of(self, element: Mapping[str, Any], index: int) -> str | None:
        """The path of an element; None if it doesn't say what the name is made of."""
        missing = False

        def fill(found: re.Match[str]) -> str:
            nonlocal missing
            text = str(index) if found[1] == "index" else said(element.get(found[1]))
            missing = missing or text is None
            return text or ""

        made = _PLACEHOLDER.sub(fill, self.name)
        return None if missing or not made else made


_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Ignored:
    """The fields that are left out, by globs on their paths.

    Args:
        globs: A glob that fits an object or a list leaves out all of it.
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
    """What a payload says of its sender, for the sensors' names.

    Attributes:
        fields: The keys that lead to each; a field that may be missing ends in `?`.
    """

    fields: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, placeholders: Sequence[str]) -> SenderFields:
        """From what stands in a template: `payload.deviceInfo.devEui`, `payload.channel?`."""
        return cls(tuple(tuple(each.split(".")[1:]) for each in placeholders))

    def ask(self, document: Any) -> list[str]:
        """What a payload says, in the order of the fields; an empty text for one that may be missing.

        An object, such as one of tags, says all of its texts and whole numbers, in the order of its keys, with slashes
        between them.

        Raises:
            Refused: A field is missing, or says nothing.
        """
        answers = []
        for keys in self.fields:
            found, optional = document, keys[-1].endswith("?")
            for key in (*keys[:-1], keys[-1].removesuffix("?")):
                found = found.get(key) if isinstance(found, dict) else None
            text = _all_said(found) if isinstance(found, dict) else said(found)
            if text is None and not optional:
                raise Refused("no_sender", f"there is no text or whole number at {'.'.join(keys)}")
            answers.append(text or "")
        return answers

    def top_level(self) -> frozenset[str]:
        """The fields of the document itself among them, which are no readings."""
        return frozenset(each[0].removesuffix("?") for each in self.fields if len(each) == 1)


def _all_said(tags: Mapping[str, Any]) -> str | None:
    """What the fields of an object say of a sender; None if there are none, too many, or one that says nothing."""
    texts = [said(tags[key]) for key in sorted(tags)]
    together = "/".join(each for each in texts if each is not None)
    return together if texts and None not in texts and len(together) <= MOST_SAID else None


def said(value: object) -> str | None:
    """What a field says of a sender; None if it is neither a text nor a whole number that may be in a name."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**18 else None
    if not isinstance(value, str) or not value or len(value) > MOST_SAID or not value.isprintable():
        return None
    return value.strip().replace("%", "%25").replace("/", "%2F") or None
