"""Partially overlapping filters, such as `a/+/x` and `a/b/#`: which delivery of a message counts.

A broker may deliver a message once for each matching filter, or once for all of them. In MQTT 5 each delivery names its
subscriptions by identifiers chosen by the client. Here an identifier represents a filter **and the granted filters
before it that overlap it**. The identifier alone therefore determines, whenever the message was queued, whether another
delivery of it is expected: if so, it is a copy. A delivery with an unknown identifier isn't treated as a copy, so
nothing is lost; messages queued while the filters were changed may be processed twice.

MQTT 3.1.1 has no identifiers. There, one filter that covers them takes the place of filters that overlap; topics that
only it matches are ignored. mosquitto 2.0 needs this only with `allow_duplicate_messages true`, others always.

Source: MQTT 5.0, sections 3.3.2.3.8, 3.3.4 and 3.8.2.1.2.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

from config.notation.topics import common_filter, covers, overlap
from edge.shell.link.link_options import Subscription

MOST = 268_435_455
"""Maximum identifier; the minimum is 1."""

NO_IDENTIFIER = 0
"""Represents a subscription without an identifier, which overlaps no other."""

Filters = tuple[str, ...]


def overlapping(filters: Sequence[str]) -> dict[str, Filters]:
    """For each filter that overlaps others, the overlapping ones before it; none for the first."""
    before: dict[str, Filters] = {}
    for index, each in enumerate(filters):
        found = tuple(other for other in filters[:index] if overlap(other, each))
        if found:
            before[each] = found
            for other in found:
                before.setdefault(other, ())
    return before


class Identifiers:
    """Subscription identifiers, the same in every run of the service."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[str, Filters]] = {}

    def of(self, wanted: str, before: Filters) -> int:
        """The identifier of a filter, which is registered.

        Args:
            wanted: The filter.
            before: The filters before it that overlap it and deliver its messages themselves.
        """
        found = zlib.crc32("\0".join((wanted, *before)).encode("utf-8", "surrogatepass")) % MOST + 1
        while self._before.setdefault(found, (wanted, before)) != (wanted, before):
            found = found % MOST + 1
        return found

    def forget_others(self, needed: Collection[int]) -> None:
        """Forget all identifiers except those still needed."""
        self._before = {each: known for each, known in self._before.items() if each in needed}

    def is_copy(self, identifiers: Iterable[int], topic: str) -> bool:
        """Whether a message delivered for some subscriptions is also delivered for another one."""
        known = [self._before.get(each) for each in identifiers]
        return bool(known) and all(each is not None and _any_covers(each[1], topic) for each in known)


def joined(wanted: Sequence[Subscription], refused: Collection[str] = ()) -> tuple[Subscription, ...]:
    """Subscriptions of which no two overlap, if filters that cover them are narrow enough; see `common_filter()`.

    Args:
        wanted: The subscriptions.
        refused: Filters that the broker refuses, which take no others' place.
    """
    found = list(wanted)
    while True:
        pairs = ((one, other) for one, other in combinations(found, 2) if overlap(one.filter, other.filter))
        wider = ((common_filter(one.filter, other.filter), one, other) for one, other in pairs)
        first = next((each for each in wider if each[0] is not None and each[0] not in refused), None)
        if first is None or first[0] is None:
            return tuple(found)
        replaced = [each for each in found if covers(first[0], each.filter)]
        place = found.index(replaced[0])
        found = [each for each in found if each not in replaced]
        found.insert(place, Subscription(first[0], max(each.qos for each in replaced)))


def in_words(before: Mapping[str, Filters]) -> str:
    """The overlapping filters in pairs: `a/b/# with a/+/x`."""
    return ", ".join(f"{each} with {' and '.join(others)}" for each, others in before.items() if others)


def _any_covers(filters: Filters, topic: str) -> bool:
    return any(covers(each, topic) for each in filters)
