"""Reading: what an input with certain keys finds in a payload."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from config.schema import LimitsTable
from config.tables.common.validation import validated
from config.tables.inputs import Input
from edge.core.intake.decoders import Decoded, Decoder
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.model.readings.messages import REASONS, Message, Refusal, Refused
from edge.shell.service.assembly.decoders import decoder_of

Keys = Mapping[str, Any]

LIMITS = LimitsTable()


def decode(keys: Keys, payload: bytes) -> Decoded | None:
    """The contents of a payload as read by an input with these keys; None if it is refused."""
    try:
        return _decoder(json.dumps({"topic": "x", **keys})).decode(payload)
    except Refused:
        return None


def paths_read(keys: Keys, messages: Iterable[Message]) -> set[str]:
    """The paths of all readings that an input with these keys finds in messages."""
    found = [decode(keys, each.payload) for each in messages]
    return {sample.path for each in found if each is not None for sample in each.samples}


def is_read(keys: Keys, payload: bytes) -> bool:
    """Whether an input with these keys reads a payload, or recognises that there is no value at present."""
    try:
        found = _decoder(json.dumps({"topic": "x", **keys})).decode(payload)
    except Refused as refused:
        return refused.refusal.reason in {"no_value", "not_finite"}
    return len(found.samples) > 0 or _is_null(keys, payload)


def _is_null(keys: Keys, payload: bytes) -> bool:
    """Whether a payload's only value is null, which may be a number at other times."""
    fields = contents_of(keys, payload)
    value_key = keys.get("value_key", "value")
    return isinstance(fields, dict) and value_key in fields and fields[value_key] is None


def why_refused(keys: Keys, payload: bytes) -> str:
    """Why an input with these keys doesn't read a payload."""
    try:
        refusals = _decoder(json.dumps({"topic": "x", **keys})).decode(payload).refusals
    except Refused as refused:
        refusals = [refused.refusal]
    first = next((each for each in refusals if each.reason == "no_sender"), (refusals or [Refusal("no_value")])[0])
    return first.detail or REASONS[first.reason]


def contents_of(keys: Keys, payload: bytes) -> object:
    """The fields of a payload as read by an input with these keys; None if it can't be read."""
    decoder = _decoder(json.dumps({"topic": "x", **keys}))
    try:
        return decoder.read(payload) if isinstance(decoder, FieldsDecoder) else None
    except Refused:
        return None


def documents_of(messages: Iterable[Message]) -> list[object]:
    """The contents of the messages that are JSON."""
    return [document for each in messages if (document := document_of(each.payload)) is not None]


def document_of(payload: bytes) -> object:
    """The contents of a payload that is JSON; None if it isn't."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=1000)
def _decoder(keys: str) -> Decoder:
    return decoder_of(validated(Input, json.loads(keys)), LIMITS)
