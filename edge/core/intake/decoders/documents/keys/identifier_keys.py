"""Keys whose numbers identify something: a device, a message or a version, and are therefore no readings."""

from __future__ import annotations

import re
from functools import lru_cache

_IDENTIFIER = re.compile(
    r"(?:.*[/_.@\x1f-])?(?:(?:device|dev|sensor|meter|gateway|node|app|station|chip|esp[0-9]*)?_?id|(?:dev|app)?_?eui|dev_?addr|mac|imei|imsi|iccid"
    r"|uuid|cid|sn|serial(?:_?(?:no|number))?|[a-z0-9]*(?-i:[a-z0-9]I[dD]))",
    re.IGNORECASE,
)
"""`chip_id`, `devEUI`, `serialNumber`, and any key that ends in `_id`, `Id` or `ID`, unlike `humid` or `GRID`."""

_VERSION = re.compile(
    r"(?:.*[/_.@\x1f -])?(?:(?:spec|firmware|fw|hardware|hw|software|sw|app|api|schema|protocol|config)[_-]?)?version",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_identifier(path: str) -> bool:
    """Whether a field identifies something, so that a whole number or a text without a point in it isn't a reading."""
    return _IDENTIFIER.fullmatch(path) is not None


@lru_cache(maxsize=4096)
def is_version(path: str) -> bool:
    """Whether a field holds a version, such as `"specversion": "1.0"`, which is no reading."""
    return _VERSION.fullmatch(path) is not None
