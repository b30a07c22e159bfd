from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import parse
from edge.core.intake.intake import UNROUTED
from edge.core.model.readings.messages import REASONS, DeadLetter, Message, Reading, Refusal
from edge.core.persistence.journal import pack, unpack
from edge.core.persistence.snapshot import Snapshot
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

NOW = 1_700_000_000.0
CONFIGURATION = """
[gateway]
name = "gw"
[limits]
sensors = 5
payload_bytes = 2000
dead_letters_per_minute = 50
[[input]]
topic = "plant/+/plain"
format = "number"
sensor = "{1}"
[[input]]
topic = "plant/+/repeating"
sensor = "{1}/{field}"
repetition = "full_repeat"
[[input]]
topic = "plant/+/ours"
sensor = "{1}"
time = "arrival"
[[input]]
topic = "plant/#"
sensor = "{topic}/{field}"
"""


def pipeline(text: str = CONFIGURATION) -> Pipeline:
    return make_pipeline(parse(text).configuration)


def message(payload: bytes | str, topic: str = "plant/a", arrived: float = NOW, *, retained: bool = False) -> Message:
    return Message(topic, payload.encode() if isinstance(payload, str) else payload, arrived, retained)


def refused(made: Pipeline, step: Step) -> list[str]:
    assert made.counters.balanced
    return [each.refusal.reason for each in step.dead_letters]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"x" * 2001, "too_large"),
        (b"{", "malformed"),
        (b"\xff\xfe", "not_utf8"),
        (b"[" * 1500, "too_deep"),
        (b'{"value": "21,5"}', "odd_number"),
        (b'{"value": true}', "not_a_number"),
        (b'{"value": null}', "not_a_number"),
        (b'{"value": 1e400}', "not_finite"),
        (b'{"value": NaN}', "not_finite"),
        (b'{"value": 1, "ts": 12}', "time_implausible"),
        (b'{"value": 1, "ts": 1700000100}', "time_in_future"),
        (b'{"unit": "bar"}', "no_value"),
        (b"{}", "no_value"),
    ],
)
def test_each_kind_of_bad_payload_has_its_reason_and_one_dead_letter(payload: bytes, reason: str) -> None:
    made = pipeline()
    step = made.process([message(payload), message('{"value": 3}', "plant/b")])
    assert refused(made, step) == [reason]
    assert step.dead_letters[0].beginning == payload[:256]
    assert made.counters.readings_taken == 1


def test_a_topic_without_an_input_is_counted_and_noted_once_and_is_not_a_dead_letter() -> None:
    made = pipeline()
    step = made.process([message("1", "elsewhere"), message("", "elsewhere"), message("x", "elsewhere/b")])
    assert step.dead_letters == []
    assert made.counters.messages_refused == {"no_route": 3}
    assert made.counters.balanced
    assert made.intake.unrouted == ["elsewhere", "elsewhere/b"]


def test_topics_that_wait_to_be_unsubscribed_are_bounded() -> None:
    made = pipeline()
    made.process([message("1", f"elsewhere/{number}") for number in range(1000)])
    assert len(made.intake.unrouted) == UNROUTED


@pytest.mark.parametrize("topic", ["plant/\x00", "plant/" + "x" * 65_529, "plant/\x1b[31m"])
def test_a_topic_without_a_usable_name_is_refused(topic: str) -> None:
    made = pipeline()
    step = made.process([message('{"value": 1}', topic)])
    assert refused(made, step) == ["bad_name"]
    assert step.dead_letters[0].refusal.detail.startswith("its name would be ")


@pytest.mark.parametrize("topic", ["plant/with space", "plant/müll/日本", "plant/a.b+c", "plant//b"])
def test_unusual_but_usable_names_are_sensors(topic: str) -> None:
    made = pipeline()
    assert refused(made, made.process([message('{"value": 1}', topic)])) == []
    assert made.sensors.names == [topic]


def test_beyond_the_limit_new_sensors_are_refused_and_known_ones_continue() -> None:
    made = pipeline()
    made.process([message('{"value": 1}', f"plant/{index}") for index in range(5)])
    step = made.process([message('{"value": 1}', "plant/9"), message('{"value": 1}', "plant/0", NOW + 1)])
    assert refused(made, step) == ["too_many_sensors"]
    assert made.counters.readings_taken == 6


def test_a_retained_message_is_learned_only_if_it_has_a_time() -> None:
    made = pipeline()
    old = [
        message('{"value": 1}', retained=True),
        message('{"value": 1, "ts": 1699999000}', "plant/b/ours", retained=True),
        message('{"value": 1, "ts": 1699999000}', "plant/c", retained=True),
    ]
    assert refused(made, made.process(old)) == ["retained", "retained"]
    assert made.sensors.names == ["plant/c"]


def test_duplicates_and_late_readings_are_refused_with_their_payload() -> None:
    made = pipeline()
    sent = [message(json.dumps({"value": 1, "ts": NOW - age})) for age in (10, 10, 20, 5)]
    assert refused(made, made.process(sent)) == ["duplicate", "late"]
    assert made.counters.readings_taken == 2


def test_one_bad_element_of_an_array_affects_no_other() -> None:
    made = pipeline()
    elements = [{"ts": NOW - 9, "value": 1}, {"ts": NOW - 8, "value": "x"}, 7, {"ts": NOW - 7, "value": 2}]
    step = made.process([message(json.dumps(elements))])
    assert made.counters.readings_taken == 2
    assert sorted(refused(made, step)) == ["not_a_number", "not_a_number"]


def test_text_next_to_readings_is_not_a_refusal_but_a_lost_reading_is() -> None:
    made = pipeline()
    first = made.process([message('{"temperature": 21, "name": "x", "ts": 1699999000}')])
    assert refused(made, first) == []
    assert made.counters.fields_ignored == 1
    second = made.process([message('{"temperature": "broken", "humidity": 4, "ts": 1699999010}')])
    assert refused(made, second) == ["not_a_number"]


def test_an_unreadable_time_is_reported_once_and_its_readings_are_accepted() -> None:
    made = pipeline()
    steps = [made.process([message(f'{{"ts": "soon", "a": {each}}}', arrived=NOW + each)]) for each in range(3)]
    assert made.counters.readings_refused == {"bad_time": 1}
    assert made.counters.fields_ignored == 2
    assert sum(len(each.dead_letters) for each in steps) == 1
    assert made.counters.readings_taken == 3


def test_a_fault_that_recurs_is_reported_again_now_and_then_and_another_one_at_once() -> None:
    made = pipeline()
    letters = []
    for each in range(1, 1001):
        time = '"soon"' if each != 500 else "1e30"
        letters += made.process([message(f'{{"ts": {time}, "a": {each}}}', arrived=NOW + each)]).dead_letters
    assert [(each.refusal.reason, each.arrived - NOW) for each in letters] == [
        ("bad_time", 1), ("bad_time", 10), ("bad_time", 100), ("time_in_future", 500),
    ]  # fmt: skip
    assert made.counters.readings_refused == {"bad_time": 3, "time_in_future": 1}
    assert made.counters.readings_taken == 1000


def test_two_positions_never_form_one_sensor() -> None:
    made = pipeline()
    places = (
        ('{"a": {"b": 1}}', "plant/x"),
        ('{"a/b": 2}', "plant/x"),
        ('{"b": 2}', "plant/x/a"),
        ('{"a": {"b": 3}}', "plant/x"),
    )
    for place, (payload, topic) in enumerate(places):
        made.process([message(payload, topic, NOW + place)])
    assert made.sensors.names == ["plant/x/a/b"]
    assert made.counters.readings_refused["name_clash"] == 2
    assert made.counters.readings_taken == 2


def test_two_topics_form_one_sensor_where_the_template_says_so() -> None:
    made = make_pipeline(parse('[[input]]\ntopic = "+/room"\nsensor = "room/{field}"\n').configuration)
    made.process([message('{"a": 1}', "x/room"), message('{"a": 1}', "y/room", arrived=NOW + 1)])
    assert (made.sensors.names, made.counters.readings_taken) == (["room/a"], 2)


def test_ignored_topics_are_counted_and_neither_refused_nor_unsubscribed() -> None:
    text = '[[input]]\ntopic = "z/#"\nignore_topics = ["z/bridge/**"]\n[[input]]\ntopic = "#"\n'
    made = make_pipeline(parse(text).configuration)
    made.process([message('{"a": 1}', "z/bridge/info"), message('{"a": 1}', "z/lamp")])
    assert made.sensors.names == ["z/lamp/a"]
    assert (made.counters.messages_left_out, made.intake.unrouted, made.counters.balanced) == (1, [], True)


@pytest.mark.parametrize("topic", ["h/updated", "h/pv/status/last_update", "h/Kitchen/lastActive", "h/boot_time"])
@pytest.mark.parametrize("payload", ["1700000000", '"1700000000"', '{"value": 1700000000123, "time": 1700000000}'])
def test_a_time_that_has_a_topic_of_its_own_is_no_sensor(topic: str, payload: str) -> None:
    made = make_pipeline(parse('[[input]]\ntopic = "#"\n').configuration)
    step = made.process([message(payload, topic), message(payload, "h/energy_total"), message("12.5", topic)])
    assert refused(made, step) == []
    assert made.sensors.names == ["h/energy_total", topic]
    assert (made.counters.fields_ignored, made.counters.readings) == (1, 2)


def test_identifying_fields_of_a_payload_name_the_sensor() -> None:
    sensor = 'sensor = "{1}/{payload.model}-{payload.id}-{payload.channel?}/{field}"'
    made = make_pipeline(parse(f'[[input]]\ntopic = "rtl/+/events"\n{sensor}\n').configuration)
    senders = ('"model": "T-A", "id": 183', '"model": "T-A", "id": 77, "channel": "B"', '"model": "T", "id": "A-183"')
    for told in senders:
        made.process([message(f'{{{told}, "temp": 21.5}}', "rtl/pi/events")])
    assert made.sensors.names == ["pi/T-A-183/temp", "pi/T-A-77-B/temp"]
    assert made.counters.readings_refused["name_clash"] == 1
    step = made.process([message('{"temp": 1}', "rtl/pi/events")])
    assert step.dead_letters[0].refusal.reason == "no_sender"


def test_devices_that_share_a_topic_are_distinguished_by_model_and_id_if_there_is_no_template() -> None:
    text = '[[input]]\ntopic = "rtl/#"\n[[input]]\ntopic = "own/#"\nsensor = "{1}/{field}"\n'
    made = make_pipeline(parse(text).configuration)
    for place, (device, temp) in enumerate(((183, 21.5), (77, -18.25), (183, 21.75))):
        payload = f'{{"model": "Therm-A", "id": {device}, "channel": 1, "rate": 2, "temp": {temp}, "hum": 5.5}}'
        made.process([message(payload, "rtl/events", NOW + place)])
    assert [each for each in made.sensors.names if each.endswith("temp")] == [
        "rtl/events/Therm-A/183/temp",
        "rtl/events/Therm-A/77/temp",
    ]
    made.process([message('{"model": "Therm-A", "id": 5, "a": 1}', "own/x"), message('{"id": 5, "a": 1}', "rtl/y")])
    assert made.sensors.names[-2:] == ["x/a", "rtl/y/a"]


def test_the_unit_of_a_payload_applies_to_the_sensor_unless_a_rule_sets_one() -> None:
    text = '[[input]]\ntopic = "a/+"\nunits = true\n[[rule]]\nsensors = "a/ruled"\nunit = "K"\n'
    made = make_pipeline(parse(text).configuration)
    for topic in ("a/b", "a/ruled", "a/text"):
        payload = '"21.5 °C"' if topic == "a/text" else '{"value": 21.5, "unit": "Cel"}'
        made.process([message(payload, topic)])
    assert [made.registry.facts(slot).unit for slot in range(3)] == ["Cel", "K", "°C"]


def test_units_are_known_after_a_restart() -> None:
    made, text = pipeline(), '{"value": 21.5, "unit": "Cel"}'
    step = made.process([message(text)])
    again, replayed = pipeline(), pipeline()
    again.restore(Snapshot.from_bytes(made.save("", "")))
    list(replayed.replay(unpack(pack([step.journal]))))  # type: ignore[list-item]
    assert again.registry.facts(0).unit == replayed.registry.facts(0).unit == "Cel"


def test_a_sender_that_repeats_everything_is_learned_only_where_it_changes() -> None:
    made = pipeline()
    made.process([message(json.dumps({"a": 1, "b": b, "ts": NOW - 50 + b}), "plant/z/repeating") for b in range(10)])
    assert (made.counters.readings, made.counters.repeats, made.counters.readings_taken) == (20, 9, 11)
    assert made.counters.balanced


def test_dead_letters_are_bounded_and_still_counted() -> None:
    made = pipeline()
    step = made.process([message("{")] * 200)
    assert len(step.dead_letters) == 50
    assert made.counters.messages_refused["malformed"] == 200
    assert made.counters.dead_letters_suppressed == 150


def test_readings_of_a_file_take_the_same_path() -> None:
    made = pipeline()
    step = made.process_readings([Reading("s", 2.0, 1.0), Reading("s", 1.0, 1.0), Reading("s", 3.0, float("nan"))])
    assert sorted(refused(made, step)) == ["late", "not_finite"]


TOPICS = st.sampled_from(["plant/a", "plant/b/plain", "plant/c/repeating", "plant/d/ours", "other", "plant/\x00", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["value", "ts", "a", "b/c", ""]), inner)
    ),
    max_leaves=12,
)
PAYLOADS = st.binary(max_size=60) | JSON.map(lambda each: json.dumps(each).encode())


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(TOPICS, PAYLOADS, st.booleans(), st.floats(-1e9, 4e9), st.integers(0, 2), st.booleans()), max_size=12
    )
)
def test_any_message_is_accounted_for(sent: list[tuple[str, bytes, bool, float, int, bool]]) -> None:
    made = pipeline()
    messages = [
        message(payload, topic, arrived, retained=old)._replace(qos=min(packet, 1), packet=packet, redelivered=again)
        for topic, payload, old, arrived, packet, again in sent
    ]
    step = made.process(messages)
    assert made.counters.balanced
    assert made.counters.messages == len(messages)
    assert {each.refusal.reason for each in step.dead_letters} <= REASONS.keys()


def test_the_excerpt_of_a_refused_payload_is_printable_text() -> None:
    sent = Message("plant/\ud800", b"", NOW)
    letter = DeadLetter.of(sent, Refusal("bad_name", "a/\udfff", "is called \ud9ab"))
    assert (letter.topic, letter.refusal) == ("plant/?", Refusal("bad_name", "a/?", "is called ?"))


def test_publications_of_other_gateways_are_not_read_unless_a_filter_names_them() -> None:
    text = '[gateway]\nname = "gw1"\n[[input]]\ntopic = "#"\n'
    others = [message('{"uptime_s": 5}', "edgewarden/gw2/health"), message('{"value": 1}', "edgewarden/gw2/state/pump")]
    for more, sensors in (
        ("", []),
        ('[[input]]\ntopic = "edgewarden/gw2/health"\n', ["edgewarden/gw2/health/uptime_s"]),
        ('[[input]]\ntopic = "edgewarden/gw2/#"\n', ["edgewarden/gw2/health/uptime_s", "edgewarden/gw2/state/pump"]),
    ):
        made = make_pipeline(parse(text + more, "test").configuration)
        made.process([*others, message('{"value": 1}', "edgewarden/gw1/health"), message('{"value": 1}', "plant/a")])
        assert made.sensors.names == [*sensors, "plant/a"]
        assert made.counters.messages_own == 3 - len(sensors)
        assert made.counters.balanced
        assert made.intake.unrouted == []


def test_topics_that_describe_devices_are_read_only_by_a_filter_that_names_them() -> None:
    topics = ("tasmota/discovery/DC4F22/config", "esphome/discover/stove", "shellies/announce")
    sent = [message('{"ver": 1, "temp": 21.5}', each) for each in topics]
    made = make_pipeline(parse('[[input]]\ntopic = "#"\n').configuration)
    made.process(sent)
    assert (made.sensors.names, made.counters.messages_left_out, made.intake.unrouted) == ([], 3, [])
    made = make_pipeline(parse('[[input]]\ntopic = "shellies/#"\n[[input]]\ntopic = "#"\n').configuration)
    made.process(sent)
    assert made.sensors.names == ["shellies/announce/ver", "shellies/announce/temp"]
