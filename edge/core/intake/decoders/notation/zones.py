"""Time zones by their names behind a time: `23:13:10 CET`, as programs print them.

Source: RFC 5322, section 4.3 (those of North America); the abbreviations in use of the IANA time zone database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isnan

_HOURS: Mapping[str, tuple[float, ...]] = {
    "WET": (0,), "WEST": (1,), "CET": (1,), "CEST": (2,), "MEZ": (1,), "MESZ": (2,), "EET": (2,), "EEST": (3,),
    "MSK": (3,), "SAST": (2,), "SGT": (8,), "HKT": (8,), "JST": (9,), "KST": (9,), "AWST": (8,), "ACST": (9.5,),
    "ACDT": (10.5,), "AEST": (10,), "AEDT": (11,), "NZST": (12,), "NZDT": (13,), "BRT": (-3,), "AST": (-4, 3),
    "EST": (-5,), "EDT": (-4,), "CST": (-6, 8), "CDT": (-5,), "MST": (-7,), "MDT": (-6,), "PST": (-8,),
    "PDT": (-7,), "AKST": (-9,), "AKDT": (-8,), "HST": (-10,), "BST": (1, 6), "IST": (5.5, 2, 1),
}  # fmt: skip
"""What each abbreviation may mean, in hours ahead of UTC."""

_ABBREVIATION = re.compile(r"(.*\d)\s+\(?([A-Za-z]{3,4})\)?", re.ASCII)
_PLACE = re.compile(r"(.*\d)\s+\(?([A-Z][A-Za-z]+(?:/[\w+-]{1,20}){1,2})\)?", re.ASCII)


def with_offsets(text: str) -> list[str]:
    """A time followed by an abbreviation of its zone, with each offset that it may have instead; else none."""
    found = _ABBREVIATION.fullmatch(text)
    return [] if found is None else [f"{found[1]}{_offset(each)}" for each in _HOURS.get(found[2].upper(), ())]


def _offset(hours: float) -> str:
    whole, part = divmod(abs(hours), 1)
    return f"{'-' if hours < 0 else '+'}{whole:02.0f}:{part * 60:02.0f}"


def nearest(times: list[float], arrived: float) -> float | None:
    """The only one of some times, or the one that is nearest to the arrival; None if it is unknown which that is."""
    if len(times) > 1 and isnan(arrived):
        return None
    return min(times, key=lambda each: abs(each - arrived)) if len(times) > 1 else times[0]


def at_place(text: str) -> tuple[str, str] | None:
    """A time and the name of its zone behind it, such as `Europe/Berlin`; None if there is none."""
    found = _PLACE.fullmatch(text)
    return None if found is None else (found[1], found[2])
