"""SenML packs as bytes, in JSON and in CBOR."""

from __future__ import annotations

import json
from typing import Any

import cbor2

NUMBERS = {
    "bver": -1,
    "bn": -2,
    "bt": -3,
    "bu": -4,
    "bv": -5,
    "bs": -6,
    "n": 0,
    "u": 1,
    "v": 2,
    "vs": 3,
    "vb": 4,
    "s": 5,
    "t": 6,
    "ut": 7,
    "vd": 8,
}


def as_json(pack: Any) -> bytes:
    return json.dumps(pack).encode()


def as_cbor(pack: Any) -> bytes:
    return cbor2.dumps([{NUMBERS.get(key, key): value for key, value in each.items()} for each in pack])
