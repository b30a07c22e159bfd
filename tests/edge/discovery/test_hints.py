"""Hints: whatever is proposed or said to help reads the very messages that it was said of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from input_hints import keys_in
from payload_corpus import NOW, TOPICS

from config.gateway_topics import GatewayTopics
from edge.core.intake.decoders.recognition.looks_like import FORMATS, instead
from edge.core.model.readings.messages import Message
from edge.discovery.collecting import CollectedMessages
from edge.discovery.formats import decode
from edge.discovery.outcome import outcome_of
from edge.discovery.proposing import Proposal, propose

NO_VALUE = {"no_value", "not_finite"}
"""Reasons for refusals that say that a sensor has no value at present."""


def proposal_for(payloads: Sequence[bytes | str]) -> tuple[Proposal, CollectedMessages]:
    heard = CollectedMessages()
    for place, each in enumerate(payloads):
        heard.add(Message("site/x", each if isinstance(each, bytes) else each.encode(), NOW + place / 10))
    return propose(heard, GatewayTopics("edgewarden/{gateway}", "gw"), "edgewarden/gw"), heard


def reads(keys: dict[str, Any], payload: bytes) -> bool:
    found = decode(keys, payload)
    return found is not None and len(found.samples) > 0


@pytest.mark.parametrize("payloads", TOPICS, ids=lambda each: repr(each[0][:40]))
def test_whatever_is_proposed_reads_the_messages_that_were_heard(payloads: list[bytes]) -> None:
    proposal, heard = proposal_for(payloads)
    if proposal.inputs:
        outcome = outcome_of(proposal.inputs, heard.in_order())
        assert outcome.sensors or outcome.refused.keys() <= NO_VALUE
        assert sum(each.readings for each in outcome.sensors) + sum(outcome.refused.values()) >= len(payloads)
    else:
        assert proposal.unread or proposal.left_out


@pytest.mark.parametrize("payloads", TOPICS, ids=lambda each: repr(each[0][:40]))
def test_every_hint_at_an_unread_topic_reads_it(payloads: list[bytes]) -> None:
    proposal, _ = proposal_for(payloads)
    for hint in proposal.unread.values():
        keys = keys_in(hint)
        assert keys is None or reads({"format": "json", **keys}, payloads[-1]), hint
        assert "no known format" not in hint
    for hint in proposal.words.values():
        assert reads({"format": "json", "ignore": ["temp"], **(keys_in(hint) or {})}, payloads[-1]), hint


@pytest.mark.parametrize("wanted", ["json", "number", "text", "influx"])
def test_every_hint_in_a_log_line_at_texts_reads_them(wanted: str) -> None:
    assert wanted in FORMATS
    names = {"id=5", "id=5;mac=12", "time=1700000000"}  # identifiers and times, which are no readings anywhere
    for payload in (each for payloads in TOPICS for each in payloads if each.decode("utf-8", "replace") not in names):
        hint = instead(wanted, payload) or ""
        keys = keys_in(hint)
        if keys is not None and payload[:1] not in b"{[" and payload.isascii() and payload != b"1e999":
            assert reads({"format": wanted, **keys}, payload), (payload, hint)


@pytest.mark.parametrize(
    ("payloads", "said"),
    [
        (["heating", "idle"], 'words: format = "number" with values = { idle = 0, heating = 1 }'),
        (["heating"], 'a word: format = "number" with values = { heating = 1 }'),
        (['{"state":"heating"}'], "JSON whose only values are words, in state: values = { heating = 1 }"),
        (['[{"n":"a","vs":"on"}]'], 'JSON whose only values are words, in vs: format = "senml" with values'),
        (['{"a":1.5,"b":"x'], "JSON of which nothing is read: Input data was truncated"),
        (["1-0:1.8.0*255(001234.567*kWh)"], "not JSON but a text"),
        (["id=5"], "not JSON but pairs, of which nothing is read: no field holds a number"),
        (["m,a=b f=3.25i"], "not JSON but line protocol with a field that isn't a number, boolean or string"),
    ],
)
def test_what_is_not_read_is_said_with_its_reason(payloads: list[str], said: str) -> None:
    proposal, _ = proposal_for(payloads)
    assert proposal.inputs == []
    assert said in proposal.unread["site/x"]


def test_words_next_to_numbers_are_told_with_the_key_that_reads_them() -> None:
    texts = [
        f'{{"temp": 2{n}.5, "door": "{door}", "name": "on", "ok": true}}' for n, door in enumerate(("open", "closed"))
    ]
    proposal, _ = proposal_for(texts)
    assert proposal.words == {
        "site/x door": "values = { open = 1, closed = 0 }",
        "site/x ok": "values = { true = 1, false = 0 }",
    }
