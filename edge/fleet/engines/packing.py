"""Packing: distributes the records of a partition to its cells."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from edge.core.model.bounded_cache import BoundedCache, size_of
from edge.fleet.engines.packs import Records
from edge.fleet.topics import TopicPlacing

REMEMBERED_BYTES = 32 * 2**20
"""Maximum size of the cache of keys and their cells; when it is exceeded, the cache is cleared."""

NOWHERE = -1


class _Place(NamedTuple):
    """The MQTT topic of records with a key, and its cell; `NOWHERE` if no input reads it."""

    topic: str
    cell: int


class Share(NamedTuple):
    """The records of one partition, distributed.

    Attributes:
        records: The records of each cell, by its number.
        refused: Number of records that no input reads, by reason.
    """

    records: dict[int, Records]
    refused: Counter[str]


class Packing:
    """Distributes records by their keys.

    Args:
        topics: Assigns topics to cells.
    """

    def __init__(self, topics: TopicPlacing) -> None:
        self._topics = topics
        self._known: dict[str, BoundedCache[bytes, _Place]] = {}

    def share(
        self,
        topic: str,
        offsets: list[int],
        keys: list[bytes | None],
        payloads: list[bytes | None],
        arrivals: list[float],
        types: list[str],
    ) -> Share:
        """Distribute the records of one partition, given as columns of equal length in order of offset.

        Args:
            topic: Kafka's topic.
            offsets: Offsets of the records.
            keys: Keys of the records; None for heartbeats, which are left out.
            payloads: Values of the records.
            arrivals: Times of arrival, seconds since the epoch.
            types: Content types, or empty.
        """
        places = self._known.get(topic) or self._known.setdefault(topic, BoundedCache(REMEMBERED_BYTES))
        shares: dict[int, Records] = {}
        strangers = 0
        for offset, key, payload, arrived, kind in zip(offsets, keys, payloads, arrivals, types, strict=True):
            if key is None:
                continue
            name, cell = places.get(key) or self._find(topic, key, places)
            if cell == NOWHERE:
                strangers += 1
                continue
            if (share := shares.get(cell)) is None:
                share = shares[cell] = Records([], [], [], [], [])
            share.offsets.append(offset)
            share.topics.append(name)
            share.payloads.append(payload or b"")
            share.arrivals.append(arrived)
            share.types.append(kind)
        return Share(shares, Counter(no_route=strangers) if strangers else Counter())

    def _find(self, topic: str, key: bytes, places: BoundedCache[bytes, _Place]) -> _Place:
        name = f"{topic}/{text_of(key)}"
        cell = self._topics.cell(name)
        place = _Place(name, NOWHERE if cell is None else cell)
        places.put(key, place, size_of(key, name))
        return place


def text_of(text: bytes | str) -> str:
    """A key or a header as text."""
    return bytes(text).decode("utf-8", "replace") if not isinstance(text, str) else text
