"""Like names: which sensors are compared with each other, by their names.

Names are alike if they are equal once each number is left out, and so is the last level but one, which usually names
the machine or the room: `roof/inv1/power` and `roof/inv2/power`, `shop/till/temperature` and `shop/cellar/temperature`,
`string1` and `string2`. That names are alike doesn't mean that their sensors are: only those are compared that turn out
to move together.
"""

from __future__ import annotations

import re

from config.notation.topics import glob_pattern

NUMBER, ANY_NUMBER = re.compile(r"\d+"), "#"
ANY_LEVEL = "+"


def like_name(name: str) -> str:
    """The name with placeholders for what may differ among peers.

    >>> like_name("roof/inv12/power")
    'roof/+/power'
    >>> like_name("plant/line2/pump1/current")
    'plant/line#/+/current'
    >>> like_name("T3")
    'T#'
    """
    levels = [NUMBER.sub(ANY_NUMBER, level) for level in name.split("/")]
    if len(levels) > 1:
        levels[-2] = ANY_LEVEL
    return "/".join(levels)


def peers_of(name: str, unit: str, peers: bool | tuple[str, ...]) -> str | None:
    """The key of a sensor's group; None if it isn't compared.

    Args:
        name: Name of the sensor.
        unit: Its unit by a rule; may be empty.
        peers: Whether like names are compared, or globs: names that match the same one are compared.
    """
    if isinstance(peers, tuple):
        return next((each for each in peers if glob_pattern(each).fullmatch(name)), None)
    return f"{like_name(name)} {unit}".rstrip() if peers else None
