"""The samples that the JSON decoder reads from a payload."""

from __future__ import annotations

import pytest

from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Refused

NOON = 1_700_000_000.0
TASMOTA = 1_572_809_668.0
plain = FieldsDecoder()


def samples(payload: bytes | str, decoder: FieldsDecoder = plain) -> list[tuple[str, float, float | None]]:
    read = decoder.decode(payload if isinstance(payload, bytes) else payload.encode())
    return [(each.path, each.value, each.time) for each in read.samples]


def refusals(payload: bytes | str, decoder: FieldsDecoder = plain) -> list[tuple[str, str]]:
    read = decoder.decode(payload if isinstance(payload, bytes) else payload.encode())
    return [(each.reason, each.path) for each in read.refusals]


def reason(payload: bytes | str, decoder: FieldsDecoder = plain) -> str:
    with pytest.raises(Refused) as refused:
        decoder.decode(payload if isinstance(payload, bytes) else payload.encode())
    return refused.value.refusal.reason
