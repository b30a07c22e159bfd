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
from edge.discovery.outcome import outcome_of
from edge.discovery.proposing import Proposal, propose
from edge.discovery.reading import decode, is_read

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
        assert keys is None or is_read({"format": "json", **keys}, payloads[-1]), hint
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
            assert is_read({"format": wanted, **keys}, payload), (payload, hint)


@pytest.mark.parametrize(
    ("payloads", "said"),
    [
        (["brewing", "idle"], 'words: format = "number" with values = { idle = 0, brewing = 1 }'),
        (["brewing"], 'a word: format = "number" with values = { brewing = 1 }'),
        (['{"ready":true}'], "JSON whose only values are words, in ready: values = { true = 1, false = 0 }"),
        (['[{"n":"a","vs":"on"}]'], 'JSON whose only values are words, in vs: format = "senml" with values'),
        (['{"a":1.5,"b":"x'], "JSON of which nothing is read: Input data was truncated"),
        (["1-0:1.8.0*255(001234.567*kWh)"], "a value in a meter's telegram (OBIS), which no option reads"),
        (["/ABC5x\r\n\r\n1-0:1.7.0(00.4*kW)\r\n!2F4B\r\n"], "a meter's telegram (OBIS), which no format reads"),
        (["$GPGGA,120000.00,4807.03,N*47"], "an NMEA 0183 sentence, which no format reads"),
        (["# TYPE t gauge\nt 4\n"], "Prometheus metrics, which no format reads"),
        (['t{zone="0"} 45.2\nup 1'], "Prometheus metrics, which no format reads"),
        (["eyJ0ZW1wIjogMjAuNX0="], "base64 of JSON, which no format reads"),
        (["W3sidCI6IDF9XQ=="], "base64 of JSON, which no format reads"),
        (["P1DT5M3S", "PT4M"], "a duration, which no option reads"),
        (
            ["30.11.2026 12:00:05;21,5;ok"],
            'numbers in a row: format = "text" with columns = ["...", "..."] and decimal = ","',
        ),
        (["2026-11-30 12:00;21.5;ok"], 'numbers in a row: format = "text" with columns = ["...", "..."]'),
        (["id=5"], "not JSON but pairs, of which nothing is read: no field holds a number"),
        (["m,a=b f=3.25i"], "not JSON but line protocol with a field that isn't a number, boolean or string"),
    ],
)
def test_what_is_not_read_is_said_with_its_reason(payloads: list[str], said: str) -> None:
    proposal, _ = proposal_for(payloads)
    assert proposal.inputs == []
    assert said in proposal.unread["site/x"]


def test_words_next_to_numbers_are_read_and_what_may_be_a_property_is_told_with_the_key_that_reads_it() -> None:
    texts = [
        f'{{"temp": 2{n}.5, "door": "{door}", "name": "on", "ok": true, "raw": "no"}}'
        for n, door in enumerate(("open", "closed"))
    ]
    proposal, heard = proposal_for(texts)
    assert [each["values"] for each in proposal.inputs] == [{"open": 1.0, "closed": 0.0}]
    assert [each.name for each in outcome_of(proposal.inputs, heard.in_order()).sensors] == [
        "site/x/door",
        "site/x/temp",
    ]
    assert proposal.words == {
        "site/x ok": "values = { true = 1, false = 0 }",
        "site/x raw": "values = { yes = 1, no = 0 }",
    }


@pytest.mark.parametrize(
    ("payloads", "keys"),
    [
        (["heating", "idle"], {"format": "number", "values": {"idle": 0.0, "heating": 1.0}}),
        (['{"state":"heating"}'], {"values": {"heating": 1.0}}),
        (['{"door":true}', '{"door":false}'], {"values": {"true": 1.0, "false": 0.0}}),
        (["20.5", "---", "21.5", "ERR"], {"no_value": ["---", "ERR"]}),
        (['{"t":20.5,"h":4}', '{"t":"ERR","h":5}', '{"t":"21.5","h":5}'], {"no_value": ["ERR"]}),
        (['{"t":20.5}', '{"t":"off"}'], {}),
        (['{"a":"auto","b":"idle"}', '{"a":"heat","b":"heat"}'], {"values": {"auto": 1.0, "heat": 2.0}}),
    ],
)
def test_what_is_written_reads_words_for_states_and_for_no_value(payloads: list[str], keys: dict[str, Any]) -> None:
    proposal, heard = proposal_for(payloads)
    (table,) = proposal.inputs
    found = {key: table[key] for key in ("values", "no_value") if key in table}
    assert found == {key: value for key, value in keys.items() if key != "format"}
    outcome = outcome_of(proposal.inputs, heard.in_order())
    assert outcome.refused.keys() <= {"no_value", *([] if keys else ["not_a_number"])}


def test_topics_share_an_input_if_their_words_agree() -> None:
    heard = CollectedMessages()
    for place, (topic, word) in enumerate((("a", "open"), ("b", "idle"), ("c", "wet"), ("a", "closed"))):
        heard.add(Message(f"house/{topic}", f'{{"state":"{word}","temp":{place}.5}}'.encode(), NOW + place))
    proposal = propose(heard, GatewayTopics("edgewarden/{gateway}", "gw"), "edgewarden/gw")
    assert [(each["topic"], each["values"]) for each in proposal.inputs] == [
        ("house/#", {"open": 1.0, "closed": 0.0, "idle": 0.0, "wet": 1.0})
    ]
