"""Identifiers that Home Assistant takes, of names that hold whatever a sender likes.

Ids of discovery topics may hold letters, digits, `_` and `-` only, and what they identify must stay the same for ever.
So each ends in a hash of the gateway and the name: names that look alike in those letters never share one.
"""

from __future__ import annotations

import hashlib
import re

_OTHERS = re.compile(r"[^A-Za-z0-9]+")
LONGEST_WORDS = 60
"""Characters of a name that an identifier shows."""


def identifier(gateway: str, name: str = "") -> str:
    """The identifier of a sensor or device of a gateway, or of the gateway itself if the name is empty.

    Args:
        gateway: The gateway's name: letters, digits, `_` and `-`.
        name: The sensor's, or a device's with a slash at its end.
    """
    if not name:
        return f"edgewarden_{gateway}"
    words = _OTHERS.sub("_", name).strip("_")[:LONGEST_WORDS]
    digest = hashlib.blake2b(f"{gateway}\n{name}".encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"edgewarden_{gateway}_{words}_{digest}"
