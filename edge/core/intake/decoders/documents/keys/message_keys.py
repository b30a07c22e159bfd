"""Messages of radio networks: objects that say from which node to which one they were sent, by number.

{"from": 2658361180, "to": 4294967295, "rssi": -40, "payload": {"temperature": 21.5}}

Elsewhere `from` and `to` are readings, such as the power from a battery and to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ENDS = ("from", "to")
_BESIDE = frozenset({"payload", "rssi", "snr", "hops", "hop_start", "hops_away"})

_NO_KEYS: frozenset[str] = frozenset()


def may_hold_addresses(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may be such messages."""
    return {*ENDS} <= {*keys}


def addresses_in(fields: Mapping[str, Any]) -> frozenset[str]:
    """The keys of a message that hold the addresses of its nodes; empty for any other object."""
    if not all(type(fields.get(each)) is int for each in ENDS) or _BESIDE.isdisjoint(fields):
        return _NO_KEYS
    return frozenset(ENDS)
