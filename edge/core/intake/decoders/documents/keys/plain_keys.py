"""Keys compared without regard to case and separators: `deviceId`, `device_id` and `Device ID` are one."""

from __future__ import annotations

import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[_\-. ]")


LONGEST = 64
"""Maximum length in characters of a key that is compared; a longer one equals only itself."""


def plain_key(key: str) -> str:
    """A key in lower case and without separators."""
    return _plain(key) if len(key) <= LONGEST else key


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    return _SEPARATORS.sub("", key).lower()
