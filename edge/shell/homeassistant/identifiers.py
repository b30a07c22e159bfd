"""Identifiers valid in Home Assistant, derived from arbitrary names.

IDs in discovery topics may contain only letters, digits, `_` and `-`, and must never change for the same entity. Each
therefore ends in a hash of the gateway and the name, so that names that look the same in those characters don't
collide.
"""

from __future__ import annotations

import hashlib
import re

_OTHERS = re.compile(r"[^A-Za-z0-9]+")
LONGEST_WORDS = 60
"""Maximum number of characters of the name shown in an identifier."""


def identifier(gateway: str, name: str = "") -> str:
    """The identifier of a sensor or device of a gateway, or of the gateway itself if the name is empty.

    Args:
        gateway: Name of the gateway: letters, digits, `_` and `-`.
        name: Name of the sensor, or of a device with a trailing slash.
    """
    if not name:
        return f"edgewarden_{gateway}"
    words = _OTHERS.sub("_", name).strip("_")[:LONGEST_WORDS]
    digest = hashlib.blake2b(f"{gateway}\n{name}".encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"edgewarden_{gateway}_{words}_{digest}"
