"""Keys compared without regard to case and separators: `deviceId`, `device_id` and `Device ID` are one."""

from __future__ import annotations

import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[_\-. ]")


@lru_cache(maxsize=4096)
def plain_key(key: str) -> str:
    """A key in lower case and without separators."""
    return _SEPARATORS.sub("", key).lower()
