"""Twins: readings of different elements of an array that have one name and one time, and must not be merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.core.intake.decoders.documents.keys.time_keys import TimeKeys
from edge.core.model.readings.messages import Sample


class Twins:
    """The readings of the elements of one array so far.

    Elements with times of their own and no texts that differ are readings of one sensor, whose clock is coarse.

    Args:
        times: The time keys.
        arrived: Arrival time in seconds since the epoch; NaN if unknown.
    """

    __slots__ = ("_arrived", "_known", "_times")

    def __init__(self, times: TimeKeys, arrived: float) -> None:
        self._times = times
        self._arrived = arrived
        self._known: dict[tuple[str, float | None], Mapping[str, Any]] = {}

    def among(self, samples: Sequence[Sample], element: Mapping[str, Any]) -> list[Sample]:
        """Those of an element's samples that an earlier element has, too; all are recorded."""
        met = self._known
        twice = [each for each in samples if (each.path, each.time) in met]
        if twice and self._times.find(element, self._arrived).time is not None:
            texts = self._texts(element)
            twice = [each for each in twice if not _agree(self._texts(met[each.path, each.time]), texts)]
        for each in samples:
            met[each.path, each.time] = element
        return twice

    def _texts(self, element: Mapping[str, Any]) -> dict[str, Any]:
        """The texts of an element, and its objects of texts, such as tags."""
        known = self._times.among(element)
        return {key: value for key, value in element.items() if key not in known and _is_text(value)}


def _agree(texts: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    return all(others.get(key, text) == text for key, text in texts.items())


def _is_text(value: object) -> bool:
    """Whether a value is a text that isn't a number, or an object of such texts."""
    if isinstance(value, dict):
        return all(map(_is_text, value.values()))
    return isinstance(value, str) and not value[:1].isdigit()
