"""Numbered topics: a level of a topic that numbers messages, or holds their time, and names no sensor.

dev/pump7/response/100200
dev/pump7/response/100207
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any

from config.notation.topics import filter_problem
from edge.core.model.readings.messages import Message
from edge.discovery.collecting import PER_TOPIC
from edge.discovery.formats import keys_for
from edge.discovery.reading import Keys

FEWEST = 8
"""Minimum number of topics that differ in one level only, each of which was heard once."""

FEWEST_DIGITS = 4
"""Minimum number of digits of such a level: smaller numbers number sensors."""


Messages = Mapping[str, Collection[Message]]


def inputs_of_numbered(topics: Iterable[str], messages: Messages) -> list[tuple[dict[str, Any], frozenset[str]]]:
    """The inputs for numbered topics, each with the topics that it reads.

    Args:
        topics: Topics that follow no convention.
        messages: The messages of each topic.
    """
    found = []
    for common, numbered in _numbered(topics, messages).items():
        heard = sorted((each for topic in numbered for each in messages[topic]), key=lambda one: one.arrived)
        keys = None if filter_problem(common) else keys_for(heard[-PER_TOPIC:])
        if keys is not None:
            found.append((_input_of(common, keys), frozenset(numbered)))
    return found


def _numbered(topics: Iterable[str], messages: Messages) -> dict[str, list[str]]:
    """The topics that differ only in a number which grows from message to message, by their common filter.

    Sensors that have numbers are heard again, or in another order.
    """
    alike: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for topic in topics:
        levels = topic.split("/")
        for place, level in enumerate(levels):
            if len(level) >= FEWEST_DIGITS and level.isascii() and level.isdecimal():
                alike.setdefault((place, (*levels[:place], "+", *levels[place + 1 :])), []).append(topic)
    found: dict[str, list[str]] = {}
    for (place, common), every in alike.items():
        heard = sorted((each for topic in every for each in messages[topic]), key=lambda one: one.arrived)
        numbers = [int(each.topic.split("/")[place]) for each in heard]
        are_once = FEWEST <= len(every) == len(heard) and not any(each.retained for each in heard)
        if are_once and all(before < after for before, after in pairwise(numbers)):
            found["/".join(common)] = every
    return found


def _input_of(common: str, keys: Keys) -> dict[str, Any]:
    """The input for numbered topics, whose sensors are named without the number."""
    name = "/".join(level for level in common.split("/") if level != "+")
    return {"topic": common, **keys, "sensor": str(keys.get("sensor", "{topic}/{field}")).replace("{topic}", name)}
