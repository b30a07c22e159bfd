"""Filters that overlap in part, such as `a/+/x` and `a/b/#`: which delivery of a message counts.

A broker may deliver a message once for each filter that matches it, or once for all of them. In MQTT 5, each delivery
names the subscriptions that it is for, by identifiers that the client has chosen. Here an identifier stands for a
filter **and for the filters before it that overlap it and were granted**. So whatever is delivered, and whenever it was
queued, its identifier alone says whether another delivery of the same message is to be expected: if so, it is a copy.
An identifier that isn't known makes no copy: nothing is lost, and what was queued while the filters were changed may
come twice.

Source: MQTT 5.0, sections 3.3.2.3.8, 3.3.4 and 3.8.2.1.2.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from config.notation.topics import covers, overlap

MOST = 268_435_455
"""Identifiers are from 1 to this."""

NO_IDENTIFIER = 0
"""Stands for a subscription without one, as it overlaps no other."""

Filters = tuple[str, ...]


def overlapping(filters: Sequence[str]) -> dict[str, Filters]:
    """For each filter that overlaps another one, those before it that do so; the first has none."""
    before: dict[str, Filters] = {}
    for index, each in enumerate(filters):
        found = tuple(other for other in filters[:index] if overlap(other, each))
        if found:
            before[each] = found
            for other in found:
                before.setdefault(other, ())
    return before


class Identifiers:
    """The identifiers of subscriptions, the same in every run of the service."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[str, Filters]] = {}

    def of(self, wanted: str, before: Filters) -> int:
        """The identifier of a filter, known from now on.

        Args:
            wanted: The filter.
            before: The filters before it that overlap it and bring their messages by themselves.
        """
        found = zlib.crc32("\0".join((wanted, *before)).encode("utf-8", "surrogatepass")) % MOST + 1
        while self._before.setdefault(found, (wanted, before)) != (wanted, before):
            found = found % MOST + 1
        return found

    def forget_others(self, needed: Collection[int]) -> None:
        """Forget all identifiers but those that are still needed."""
        self._before = {each: known for each, known in self._before.items() if each in needed}

    def is_copy(self, identifiers: Iterable[int], topic: str) -> bool:
        """Whether a message that was delivered for some subscriptions is delivered for another one, too."""
        known = [self._before.get(each) for each in identifiers]
        return bool(known) and all(each is not None and _any_covers(each[1], topic) for each in known)


def in_words(before: Mapping[str, Filters]) -> str:
    """The filters that overlap, in pairs: `a/b/# with a/+/x`."""
    return ", ".join(f"{each} with {' and '.join(others)}" for each, others in before.items() if others)


def _any_covers(filters: Filters, topic: str) -> bool:
    return any(covers(each, topic) for each in filters)
