"""Availability messages, sent by a device or by the broker as its last will: online or gone."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from edge.core.intake.availability import Presence
from edge.core.intake.decoders.base import Decoded, Decoder
from edge.core.model.readings.messages import Refused
from edge.core.model.sensors.sensors import Repetition

AVAILABLE = frozenset({"online", "true", "1", "on", "connected", "available", "ready", "init", "sleeping", "alert"})
UNAVAILABLE = frozenset({"offline", "false", "0", "off", "disconnected", "unavailable", "lost"})
"""Words for an available and for an unavailable device, in lower case."""

KEYS = ("state", "status", "availability", "online", "connected", "available", "value")
"""Fields of an object that may hold the word; the first one present is used."""

LONGEST = 64
"""Maximum length of the word in characters."""


@dataclass(frozen=True)
class AvailabilityDecoder(Decoder):
    """Reads a word such as `online`: bare, in quotes, or in an object, `{"state": "online"}`. Case is ignored.

    Repetition: on change. Time: of arrival. Retained: taken, because it describes the present state.

    Attributes:
        available: Words for an available device, in lower case.
        unavailable: Words for an unavailable device, in lower case.
    """

    available: Collection[str] = AVAILABLE
    unavailable: Collection[str] = UNAVAILABLE
    name: ClassVar[str] = "availability"
    repetition: ClassVar[Repetition] = Repetition.ON_CHANGE

    def decode(self, payload: bytes, arrived: float = math.nan) -> Decoded:  # noqa: ARG002 - it has no time
        """See `Decoder`."""
        word = _word(payload)
        if word not in self.available and word not in self.unavailable:
            raise Refused("unknown_word", f"{word[:LONGEST]!r}")
        return Decoded([], [], words=[Presence("", word in self.available)])


def _word(payload: bytes) -> str:
    """The word that a payload holds, in lower case."""
    text = payload.strip(b" \t\r\n\0").decode("utf-8", "replace")
    if text[:1] in {"{", '"'}:
        try:
            content = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError):
            return text.lower()
        if isinstance(content, dict):
            content = next((content[key] for key in KEYS if key in content), None)
        text = str(content) if isinstance(content, (str, int, float)) else text
    return text.strip().lower()
