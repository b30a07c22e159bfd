"""Keys whose numbers identify something: a device, a message or a version, and are therefore no readings."""

from __future__ import annotations

import re
from functools import lru_cache

_LEVEL = r"(?:.*[/_.@$# \x1f-])?"
"""What may precede the last word of a key."""

_IDENTIFIER = re.compile(
    rf"""{_LEVEL}(?:
    (?:device|dev|sensor|meter|gateway|node|app|station|chip|esp[0-9]*)?_?id
    | (?:[cdgnstu]|ls|tx|rx)id
    | (?:dev|app)?_?eui | mac | imei | imsi | iccid | uuid | ident(?:ifier)? | token
    | (?:device|dev|slave|unit|node|modbus)?_?addr(?:ess)?
    | sn | serial | (?:serial|product|part|model|article|order|account|event|message|msg|frame|packet)_?(?:no|nr|number)
    | (?:msg|message|frame|packet)?_?seq(?:uence_?(?=n))?(?:_?(?:no|nr|num|number|id))?
    | (?:frame|packet|msg|message)_?(?:counter|cnt) | f_?cnt(?:_?(?:up|dn|down))?
    | tmst | mp[arx]n
    | [a-z0-9]*(?-i:[a-z0-9](?:I[dD]|Token|Addr(?:ess)?|Serial|(?:Serial|Product|Part|Model|Event|Message)(?:No|Number)
        |Seq(?:uence(?=N))?(?:No|Nr|Num|Number)?|(?:Frame|Packet|Message)(?:Counter|Cnt)))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""`devEUI`, `serialNumber`, `slave_address`, and any key that ends in `_id`, `Id` or `ID`, unlike `humid` or `GRID`.

The number of a message (`seq`, `eventno`, `f_cnt`) identifies it, too, as do a concentrator's microseconds (`tmst`) and
the number of a British meter (`mpan`).
"""

_VERSION = re.compile(
    r"(?:.*[^a-z])?(?:(?:spec|firmware|fw|hardware|hw|software|sw|app|api|schema|protocol|config)[_-]?)?version"
    r"|.*(?-i:[a-z0-9]Version)"
    r"|(?:.*[^a-z])?(?:firmware|(?:firmware|fw|sw|hw)[_-]?ver|revision)",
    re.IGNORECASE,
)
"""`specversion`, `$version`, `MajorVersion`, `firmware`."""


@lru_cache(maxsize=4096)
def is_identifier(path: str) -> bool:
    """Whether a field identifies something, so that a whole number or a text without a point in it isn't a reading."""
    return _IDENTIFIER.fullmatch(path) is not None


@lru_cache(maxsize=4096)
def is_version(path: str) -> bool:
    """Whether a field holds a version, such as `"specversion": "1.0"`, which is no reading."""
    return _VERSION.fullmatch(path) is not None
