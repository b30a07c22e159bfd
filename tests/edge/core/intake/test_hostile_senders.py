"""Unexpected messages: each convention's input with mangled payloads, and one test for each kind of mistake."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from config.loading import parse
from config.tables.convention import Convention, conventions
from edge.core.model.readings.messages import REASONS, DeadLetter, Message
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

NOW = 1_700_000_060.0
DEFAULT = '[[input]]\ntopic = "#"\n'
every_convention = pytest.mark.parametrize("convention", conventions().values(), ids=lambda each: each.name)


def made(text: str = DEFAULT) -> Pipeline:
    return make_pipeline(parse(text).configuration)


def message(topic: str, payload: object, place: int = 0, *, retained: bool = False) -> Message:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Message(topic, data, NOW + place, retained)


def read(line: Pipeline, *messages: Message) -> tuple[list[tuple[str, float]], list[DeadLetter]]:
    """The readings of messages, with the names of their sensors, and what was refused."""
    letters: list[DeadLetter] = []
    batch = line.intake.read(list(messages), letters, [])
    assert {each.refusal.reason for each in letters} <= REASONS.keys()
    names = [line.sensors.names[slot] for slot in batch.slots]
    return list(zip(names, batch.values.tolist(), strict=True)), letters


def cut(payload: bytes, edits: list[tuple[float, int]], end: float) -> bytes:
    """A payload with some bytes replaced at relative positions, and truncated at another."""
    changed = bytearray(payload)
    for place, byte in edits:
        changed[int(place * (len(changed) - 1))] = byte
    return bytes(changed[: round(end * len(changed))])


parts = st.floats(0, 1)


@every_convention
@seed(1)
@settings(max_examples=60)
@given(edits=st.lists(st.tuples(parts, st.integers(0, 255)), max_size=4), end=parts, noise=st.binary(max_size=80))
def test_a_mangled_payload_of_a_convention_is_read_or_refused_and_counted(
    convention: Convention, edits: list[tuple[float, int]], end: float, noise: bytes
) -> None:
    line = made(f'[[input]]\nconvention = "{convention.name}"\n')
    for place, example in enumerate(convention.examples):
        for payload in (cut(example.to_bytes(), edits, end), noise):
            line.process([message(example.topic, payload, place)])
    assert line.counters.balanced


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_compressed_payload_is_recognised(pack: Any) -> None:
    found, (letter,) = read(made(), message("a", pack(b'{"temp": 21.5}' * 9)))
    assert found == []
    assert letter.refusal.reason in {"malformed", "not_utf8"}
    assert "looks like gzip" in letter.refusal.detail or "looks like zlib" in letter.refusal.detail


def test_a_flood_of_retained_messages_creates_no_sensor_and_few_dead_letters() -> None:
    line = made()
    found, letters = read(line, *(message(f"house/{each}", {"temp": 21.5}, retained=True) for each in range(5000)))
    assert found == []
    assert line.counters.messages_refused == {"retained": 5000}
    assert len(letters) <= 100
    assert len(line.sensors.names) == 0


def test_retained_messages_of_zigbee2mqtt_are_learned_only_if_they_have_a_time() -> None:
    line = made('[[input]]\nconvention = "zigbee2mqtt"\n')
    climate, seen = "zigbee2mqtt/living/climate", {"temperature": 21.3, "last_seen": "2023-11-14T22:13:20Z"}
    cache = (
        message("zigbee2mqtt/door", {"voltage": 3015, "contact": True}, retained=True),
        message(climate, seen, retained=True),
        message("zigbee2mqtt/bridge/state", {"state": "online"}, retained=True),
        message("zigbee2mqtt/bridge/devices", [{"ieee_address": "0x1", "network_address": 7}] * 9, retained=True),
    )
    found, letters = read(line, *cache)
    assert found == [("living/climate/temperature", 21.3)]
    assert [(each.topic, each.refusal.reason) for each in letters] == [("zigbee2mqtt/door", "retained")]
    assert line.counters.messages_left_out == 2
    # The same message again, as Zigbee2MQTT sends it after its start, and then a change of one field.
    changed = {"temperature": 21.3, "humidity": 48.2, "last_seen": "2023-11-14T22:13:50Z"}
    found, letters = read(line, message(climate, seen, 1), message(climate, changed, 2))
    assert (found, letters) == ([("living/climate/humidity", 48.2)], [])
    assert line.counters.repeats == 2


def test_mixed_types_on_one_topic_affect_only_those_that_are_not_numbers() -> None:
    line = made()
    objects: list[object] = [{"a": 1}, {"a": "on"}, {"a": {"b": 2}}, {"a": [3, 4]}, [5], b"6", b"on", b"\x00\xff"]
    found, letters = read(line, *(message("mixed", each, place) for place, each in enumerate([*objects, {"a": 7}])))
    names = ("mixed/a", "mixed/a/b", "mixed/a/0", "mixed/a/1", "mixed/0", "mixed", "mixed/a")
    assert found == list(zip(names, range(1, 8), strict=True))
    assert [each.beginning for each in letters] == [b'{"a": "on"}', b"on", b"\x00\xff"]


def test_two_devices_of_one_name_are_never_mixed() -> None:
    line = made("".join(f'[[input]]\ntopic = "{each}/+"\nsensor = "{{1}}/{{field}}"\n' for each in "ab"))
    found, letters = read(line, message("a/pump", {"v": 2.0}), message("b/pump", {"v": 3.0}, 1))
    assert found == [("pump/v", 2.0)]
    assert [(each.topic, each.refusal.reason) for each in letters] == [("b/pump", "name_clash")]


def test_keys_that_collide_give_one_sensor_or_none() -> None:
    line = made()
    found, letters = read(line, message("k", {"a/b": 1.0, "a": {"b": 2.0}, "A": 3.0, "a ": 4.0}))
    names = [name for name, _ in found]
    assert len(names) == len(set(names))
    assert all(each.refusal.reason in {"name_clash", "bad_name"} for each in letters)
    assert len(found) + len(letters) == 4
    (last,), _ = read(line, message("k2", b'{"a": 1, "a": 2}', 1))
    assert last == ("k2/a", 2.0)


def test_five_hundred_fields_are_five_hundred_sensors() -> None:
    fields = {f"field {each}": each + 0.5 for each in range(500)}
    line = made()
    for place in range(3):
        found, letters = read(line, message("plc/db1", fields, place))
        assert found == [(f"plc/db1/{name}", value) for name, value in fields.items()]
        assert letters == []


@pytest.mark.parametrize("separator", [*".:-_;,|\\ ~@!$%&()=?'\"<>[]{}*+#^`§°µ中", "::", "->", "\u00a0"])
def test_names_with_every_separator_remain_distinct(separator: str) -> None:
    line = made()
    found, letters = read(line, message("s", {f"a{separator}b": 1.0, "ab": 2.0, "a": {"b": 3.0}}))
    values = [value for _, value in found]
    assert values == [1.0, 2.0, 3.0]
    assert len({name for name, _ in found}) == 3
    assert letters == []


@pytest.mark.parametrize("number", [9_999, 10_001])
def test_a_list_of_ten_thousand_is_read_or_refused_as_a_whole(number: int) -> None:
    line = made(f"{DEFAULT}[limits]\npayload_bytes = 1000000\n")
    found, letters = read(line, message("l", [{"ts": NOW - 20_000 + each, "value": each} for each in range(number)]))
    if number <= 10_000:
        assert [value for _, value in found] == list(range(number))
        assert letters == []
    else:
        assert found == []
        assert [each.refusal.reason for each in letters] == ["too_many_readings"]


def test_hostile_nesting_is_refused_where_it_begins_and_affects_nothing_else() -> None:
    deep: object = 1.0
    for _ in range(60):
        deep = {"x": deep}
    found, letters = read(made(), message("n", {"deep": deep, "temp": 21.5}))
    assert found == [("n/temp", 21.5)]
    assert [each.refusal.reason for each in letters] == ["too_deep"]
    bomb = message("n", b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 1)
    assert [each.refusal.reason for each in read(made(), bomb)[1]] == ["too_deep"]
