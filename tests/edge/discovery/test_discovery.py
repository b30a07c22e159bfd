"""Discovery: the inputs proposed for messages, and the readings they produce."""

from __future__ import annotations

from typing import Any

import pytest
from discovered import NOW, heard, inputs, proposed

from config.gateway_topics import GatewayTopics
from config.loading import parse
from config.tables.convention import Convention, conventions
from edge.core.model.readings.messages import Message
from edge.discovery.collecting import PER_TOPIC, TOPICS
from edge.discovery.outcome import tables
from edge.discovery.proposing import MOST_INPUTS, propose
from edge.shell.service.assembly.parts import make_pipeline


@pytest.mark.parametrize("convention", conventions().values(), ids=lambda each: each.name)
def test_every_convention_is_recognised_by_its_own_example(convention: Convention) -> None:
    proposal, sensors = proposed(*((each.topic, each.to_bytes()) for each in convention.examples))
    assert proposal.inputs == [{"convention": convention.name}]
    assert sensors == {name: value for each in convention.examples for name, value in each.sensors.items()}


def test_a_house_with_all_conventions_is_separated_correctly() -> None:
    proposal, sensors = proposed(
        *((each.topic, each.to_bytes()) for one in conventions().values() for each in one.examples)
    )
    twice = {"rtl_433-devices"}  # the same readings as on `rtl_433/+/events`
    assert proposal.conventions.keys() == conventions().keys() - twice
    apart = {"telegraf-json": "telegraf/pi/mem/"}  # its filter equals that of another input
    assert sensors == {
        f"{apart.get(one.name, '')}{name}": value
        for one in conventions().values()
        for each in one.examples
        for name, value in each.sensors.items()
    }


def test_fields_next_to_the_sensors_of_a_convention_are_ignored_and_not_refused() -> None:
    (example,) = conventions()["tasmota"].examples
    beside = ("tele/boiler/INFO1", "stat/boiler/POWER", "tele/boiler/STATE")
    proposal, sensors = proposed((example.topic, example.payload), *((topic, "ON") for topic in beside))
    assert proposal.inputs == [{"convention": "tasmota"}]
    assert proposal.left_out == dict.fromkeys(beside, "a topic of tasmota that holds no readings")
    assert sensors == example.sensors


def test_a_topic_that_only_matches_the_filter_of_a_convention_is_listed_in_ignore_topics() -> None:
    found = inputs(("telegraf/a", "cpu idle=1.5"), ("telegraf/b", {"fields": {"idle": 1}}))
    assert found == [{"convention": "telegraf", "ignore_topics": ["telegraf/b"]}]


def test_a_device_that_follows_two_conventions_is_read_once() -> None:
    state = ("plug1/status/switch:0", {"id": 0, "apower": 55.3})
    same = ("plug1/events/rpc", {"method": "NotifyStatus", "params": {"ts": NOW, "switch:0": {"apower": 55.3}}})
    other = ("plug2/events/rpc", {"method": "NotifyStatus", "params": {"ts": NOW, "switch:0": {"apower": 7.5}}})
    proposal, sensors = proposed(state, same)
    assert (proposal.inputs, sensors) == ([{"convention": "shelly"}], {"plug1/switch:0/apower": 55.3})
    assert proposal.left_out == {"plug1/events/rpc": "a topic of shelly that holds no readings"}
    proposal, sensors = proposed(state, same, other)
    assert proposal.inputs == [
        {"convention": "shelly-rpc", "ignore_topics": ["plug1/events/rpc"]},
        {"convention": "shelly"},
    ]
    assert sensors == {"plug1/switch:0/apower": 55.3, "plug2/switch:0/apower": 7.5}


def test_of_two_conventions_with_one_filter_that_of_fewer_topics_gets_separate_inputs() -> None:
    line, metric = (
        "cpu,host=pi idle=1.5",
        {"fields": {"used": 7}, "name": "mem", "tags": {"host": "pi"}, "timestamp": NOW},
    )
    proposal, sensors = proposed(("telegraf/a", line), ("telegraf/b", line), ("telegraf/c", metric))
    sensor = "{topic}/{payload.name}/{payload.tags?}/{field}"
    assert proposal.inputs == [
        {"convention": "telegraf-json", "topic": "telegraf/c", "sensor": sensor},
        {"convention": "telegraf"},
    ]
    assert sensors == {"cpu/pi/idle": 1.5, "telegraf/c/mem/pi/used": 7.0}


def test_a_sensor_without_a_current_value_is_kept() -> None:
    found = inputs(("garage/sensor/a/state", "21.5"), ("garage/sensor/co2/state", "nan"))
    assert found == [{"convention": "esphome"}]


@pytest.mark.parametrize(
    ("payload", "keys", "value"),
    [
        ("21.5", {"format": "number"}, 21.5),
        ("21,5", {"format": "number", "decimal": ","}, 21.5),
        ("21.5 °C", {"format": "number", "units": True}, 21.5),
        ("21,5 °C", {"format": "number", "decimal": ",", "units": True}, 21.5),
        ("Open", {"format": "number", "values": {"Open": 1.0, "Closed": 0.0}, "repetition": "on_change"}, 1.0),
        ({"value": "21,5"}, {"format": "json", "decimal": ","}, 21.5),
        ({"value": "21.5 °C"}, {"format": "json", "units": True}, 21.5),
        ([{"n": "", "bn": "x/a", "v": 21.5}], {"format": "senml"}, 21.5),
        (b"\x81\xa5value\xcb@5\x80\x00\x00\x00\x00\x00", {"format": "msgpack"}, 21.5),
    ],
)
def test_a_topic_without_a_convention_is_read_with_the_keys_it_needs(
    payload: object, keys: dict[str, Any], value: float
) -> None:
    proposal, sensors = proposed(("x/temp", payload))
    assert proposal.inputs == [{"topic": "x/temp", **keys}]
    assert list(sensors.values()) == [value]


@pytest.mark.parametrize(
    ("topic", "what"),
    [
        ("tasmota/discovery/DC4F22000000/config", "describes a device of Tasmota"),
        ("tasmota/discovery/DC4F22000000/sensors", "describes a device of Tasmota"),
        ("esphome/discover/stove", "describes a device of ESPHome"),
        ("shellies/announce", "describes devices of Shelly"),
    ],
)
def test_descriptions_of_devices_are_left_out(topic: str, what: str) -> None:
    proposal, _ = proposed(("x/temp", "21.5"), (topic, {"ver": 1, "dn": "stove", "so": {"4": 0}}))
    assert (proposal.left_out, proposal.unread) == ({topic: what}, {})
    assert [each["topic"] for each in proposal.inputs] == ["x/temp"]


@pytest.mark.parametrize("payload", ["12:30", "07:05:09", "2026-11-28", "28.11.2026 12:30"])
def test_a_topic_of_times_is_not_read(payload: str) -> None:
    proposal, _ = proposed(("x/temp", "21.5"), ("y/clock", payload))
    assert [each["topic"] for each in proposal.inputs] == ["x/temp"]
    assert proposal.unread == {"y/clock": "not JSON but a time, not a value"}


def test_topics_with_the_same_beginning_and_format_share_an_input_and_others_have_their_own() -> None:
    found = inputs(("lab/a", {"t": 21.5}), ("lab/b/c", {"t": 5}), ("lab/d", "21,5"), ("other", "3"))
    assert found == [
        {"topic": "lab/d", "format": "number", "decimal": ","},
        {"topic": "other", "format": "number"},
        {"topic": "lab/#", "format": "json"},
    ]


def test_several_devices_on_one_topic_are_distinguished_by_payload_fields() -> None:
    messages = [("weather/bresser", {"sensor_id": each % 3, "temp": 20 + each % 3}) for each in range(9)]
    proposal, sensors = proposed(*messages)
    assert proposal.inputs[0]["sensor"] == "{topic}/{payload.sensor_id}/{field}"
    assert sensors == {f"weather/bresser/{each}/temp": 20.0 + each for each in range(3)}


def test_devices_of_one_topic_may_be_named_in_an_object() -> None:
    events = [{"data": {"entity_id": each, "state": "21.5"}, "wifi": {"channel": 6}} for each in ("a", "b") * 2]
    assert [each["sensor"] for each in inputs(*(("ha/events", each) for each in events))] == [
        "{topic}/{payload.data.entity_id}/{field}"
    ]


@pytest.mark.parametrize(
    ("payloads", "sensors"),
    [
        ([{"nodo": f"N{n}", "temp": 20.5 + n} for n in (1, 2)], {"air/N1/temp": 21.5, "air/N2/temp": 22.5}),
        (
            [{"message": {"slave": n, "flow": 20.5 + n}} for n in (1, 2)],
            {"air/1/message/flow": 21.5, "air/2/message/flow": 22.5},
        ),
        ([f"who=N{n};temp=2{n}.5" for n in (1, 2)], {"air/N1/temp": 21.5, "air/N2/temp": 22.5}),
        ([{"gw": "g", "nodes": [{"nid": n, "temp": 20.5}]} for n in (1, 2)], {"air/1/temp": 20.5, "air/2/temp": 20.5}),
    ],
)
def test_devices_of_one_topic_that_take_turns_are_distinguished_by_any_field(
    payloads: list[object], sensors: dict[str, float]
) -> None:
    drifting = [
        {"message": {**each["message"], "flow": each["message"]["flow"] + (5 - place) / 20}}
        if isinstance(each, dict) and "message" in each
        else each
        for place in range(6)
        for each in payloads
    ]
    found = proposed(*(("air", each) for each in drifting))[1]
    assert found == sensors


def test_a_list_with_numbered_elements_is_proposed_with_items() -> None:
    proposal, sensors = proposed(
        ("gw", {"values": [{"id": 1, "v": 2.5, "ts": NOW}, {"id": 2, "v": 3.5, "ts": NOW}]}), ("x", "1")
    )
    assert proposal.inputs[0] == {
        "topic": "gw", "format": "json", "items": "values[*]", "name": "{id}", "value_key": "v",
    }  # fmt: skip
    assert (sensors["gw/1"], sensors["gw/2"]) == (2.5, 3.5)


@pytest.mark.parametrize(
    ("elements", "name"),
    [
        (
            [{"name": "temp", "axis": "a", "value": 1}, {"name": "temp", "axis": "b", "value": 2}],
            "name/axis",
        ),
        ([{"id": 1, "channel": 1, "v": 1, "ts": NOW}, {"id": 1, "channel": 2, "v": 2, "ts": NOW}], "id/channel"),
        ([{"id": 1, "v": 1, "ts": NOW}, {"id": 1, "v": 2, "ts": NOW + 1}, {"id": 2, "v": 2, "ts": NOW}], "id"),
    ],
)
def test_elements_of_a_list_that_have_one_name_at_one_time_are_kept_apart(
    elements: list[dict[str, object]], name: str
) -> None:
    proposal, sensors = proposed(("gw", {"list": elements}))
    assert proposal.inputs[0]["name"] == "/".join(f"{{{each}}}" for each in name.split("/"))
    assert len(sensors) == 2


def test_elements_of_a_list_that_nothing_tells_apart_are_not_read() -> None:
    proposal, _ = proposed(("gw", {"list": [{"name": "temp", "value": 1}, {"name": "temp", "value": 2}]}), ("x", "1"))
    assert [each["topic"] for each in proposal.inputs] == ["x"]
    assert "elements of a list have one name and no times" in proposal.unread["gw"]


def test_a_few_topics_beside_many_devices_get_no_input_for_all_devices() -> None:
    devices = [(f"device{number:02}/temp", "21.5") for number in range(70)]
    found = inputs(*devices, ("plant/line1", "3"), ("plant/line2", "3"))
    assert [each["topic"] for each in found] == ["+/temp", "plant/+"]


def test_bookkeeping_is_left_out() -> None:
    proposal, sensors = proposed(("a/b", {"temp": 21.5, "rssi": -70, "uptime": 5}))
    assert proposal.inputs == [{"topic": "a/b", "format": "json", "ignore": ["rssi", "uptime"]}]
    assert sensors == {"a/b/temp": 21.5}


def test_bookkeeping_is_recognised_by_its_name_in_any_spelling_and_depth_and_times_by_their_values() -> None:
    payload = {
        "messageId": 7, "devEUI": "24e1", "fPort": 85, "ts_last_success": NOW - 5, "updated": (NOW - 5) * 1000,
        "radio": {"RSSI": -70, "freq": 868.3}, "mains": {"freq": 50.02}, "temp": 21.5, "energy": 1_900_000_000,
    }  # fmt: skip
    proposal, sensors = proposed(("a/b", payload))
    ignored = {"messageId", "devEUI", "fPort", "ts_last_success", "updated", "**/RSSI"}
    assert set(proposal.inputs[0]["ignore"]) == ignored
    assert sensors == {"a/b/radio/freq": 868.3, "a/b/mains/freq": 50.02, "a/b/temp": 21.5, "a/b/energy": 1.9e9}


def test_a_topic_with_only_bookkeeping_is_excluded_from_the_input_that_would_read_it() -> None:
    numbers = [("solar/1/power", "231"), ("solar/2/power", "55"), ("solar/dtu/rssi", "-60"), ("solar/name", "Roof")]
    proposal, sensors = proposed(*numbers, ("solar/last_update", f"{NOW - 9}"), ("gw/heart", {"uptime": 5, "rssi": -7}))
    ignored = ["solar/dtu/rssi", "solar/last_update", "solar/name"]
    assert proposal.inputs == [{"topic": "solar/#", "ignore_topics": ignored, "format": "number"}]
    assert sensors == {"solar/1/power": 231.0, "solar/2/power": 55.0}
    assert list(proposal.left_out) == ["solar/dtu/rssi", "solar/last_update", "gw/heart"]
    assert [*proposal.unread] == ["solar/name"]


def test_a_field_that_holds_the_time_of_the_readings_is_not_proposed_to_be_ignored() -> None:
    proposal, _ = proposed(("pump", {"rtc": NOW, "gatewayTime": NOW * 1000, "temp": 21.5}))
    assert proposal.inputs == [{"topic": "pump", "format": "json"}]


def test_topics_that_differ_only_in_ignored_fields_have_one_input() -> None:
    found = inputs(("nodes/a", {"temp": 1.5, "rssi": -7}), ("nodes/b", {"temp": 2.5, "qos": 0}), ("nodes/c", {"x": 3}))
    assert found == [{"topic": "nodes/#", "format": "json", "ignore": ["rssi", "qos"]}]


def test_devices_are_distinguished_by_a_single_field_if_that_is_enough_in_any_spelling() -> None:
    told = [{"deviceName": f"n{each % 2}", "devEUI": f"24e{each % 2}", "temp": 20 + each % 2} for each in range(4)]
    proposal, sensors = proposed(*(("milesight/up", each) for each in told))
    assert proposal.inputs[0]["sensor"] == "{topic}/{payload.devEUI}/{field}"
    assert sensors == {"milesight/up/24e0/temp": 20.0, "milesight/up/24e1/temp": 21.0}


def test_unreadable_topics_are_reported_and_our_own_topics_are_skipped() -> None:
    proposal, _ = proposed(("x/y", "21.5;ok"), ("edgewarden/gw/status", "{}"), ("edgewarden/other/health", '{"a": 1}'))
    assert (proposal.inputs, [*proposal.unread]) == ([], ["x/y"])
    assert 'numbers in a row: format = "text" with columns' in proposal.unread["x/y"]


def test_pairs_of_a_name_and_a_value_are_recognised() -> None:
    proposal, sensors = proposed(("x/y", "T=21;H=48"), ("x/z", "temp:21.5,hum:48"))
    assert [each["format"] for each in proposal.inputs] == ["text"]
    assert {"x/y/T", "x/y/H", "x/z/temp", "x/z/hum"} <= {*sensors}


def test_topics_that_begin_with_a_slash_share_an_input_by_their_next_level() -> None:
    assert inputs(("/home/a/temp", "21.5"), ("/home/b/temp", "22.5"), ("/x", "1")) == [
        {"topic": "/x", "format": "number"},
        {"topic": "/home/#", "format": "number"},
    ]


def test_many_devices_with_the_same_topics_share_inputs() -> None:
    kinds = {"temp": "21.5", "door": "ON", "flow": "1,5", "air": {"co2": 447, "rssi": -60}}
    messages = [(f"dev{number:03}/{kind}", payload) for number in range(150) for kind, payload in kinds.items()]
    proposal, sensors = proposed(*messages, *((f"dev{number:03}/name", "a text") for number in range(150)))
    assert {each["topic"] for each in proposal.inputs} == {f"+/{kind}" for kind in kinds}
    assert len(sensors) == 600
    assert proposal.left_out == {}


def test_what_would_need_too_many_inputs_is_said() -> None:
    proposal, _ = proposed(
        *(
            (f"a{number}/{'x/' * (number % 120)}b{number}", ("1", "1,5", "1 V", "ON")[number % 4])
            for number in range(500)
        )
    )
    assert len(proposal.inputs) == MOST_INPUTS
    assert list(proposal.left_out.values()) == [f"would need more than {MOST_INPUTS} inputs"] * (500 - MOST_INPUTS)


def test_topics_of_other_programs_on_the_computer_of_a_convention_are_read() -> None:
    rtl_433 = {"model": "Acurite-Tower", "id": 11524, "temperature_C": 21.5}
    proposal, sensors = proposed(
        ("rtl_433/pi/events", rtl_433), ("rtl_433/pi/devices/x", "1"), ("collectd/pi/load", "1700000060.5:0.1\0")
    )
    assert proposal.inputs == [{"convention": "rtl_433"}, {"topic": "collectd/pi/load", "format": "text"}]
    assert sensors == {"Acurite-Tower/11524/temperature_C": 21.5, "collectd/pi/load": 0.1}


@pytest.mark.parametrize("payload", ["x", "A", "!", "a text", "Home"])
def test_a_text_is_neither_a_binary_number_nor_a_state(payload: str) -> None:
    assert inputs(("room/name", payload), ("room/temp", "21.5")) == [{"topic": "room/temp", "format": "number"}]


def test_a_serial_number_is_no_number_with_a_unit() -> None:
    fields = {"serialno": "84fce612", "rco2": 447, "atmp": 25.9, "chip": "12ab34"}
    proposal, sensors = proposed(("air/a", fields))
    assert proposal.inputs == [{"topic": "air/a", "format": "json"}]
    assert sensors == {"air/a/rco2": 447, "air/a/atmp": 25.9}


def test_rows_below_the_names_of_their_columns_are_read() -> None:
    proposal, sensors = proposed(
        ("log/a", "time;temp;hum\n1700000000;21.5;48\n1700000030;21.6;49\n"),
        ("log/a", "time;temp;hum\n1700000060;22;50"),
    )
    assert proposal.inputs == [{"topic": "log/a", "format": "text", "columns": ["time", "temp", "hum"]}]
    assert sensors == {"log/a/temp": 22.0, "log/a/hum": 50.0}


@pytest.mark.parametrize("key", ["", "***", "x" * 300, "a*b", "#"])
def test_a_key_that_no_glob_can_name_is_left_alone(key: str) -> None:
    assert inputs(("a/b", {key: 1_700_000_060, "temp": 21.5})) == [{"topic": "a/b", "format": "json"}]


def test_the_notation_of_bookkeeping_decides_nothing() -> None:
    form = "PASSKEY=AB&dateutc=2023-11-14+22:14:20&tempf=70.3&freq=868M&model=GW1000"
    assert inputs(("ecowitt/gw", form)) == [{"topic": "ecowitt/gw", "format": "text", "ignore": ["freq"]}]
    assert inputs(("a/b", {"temp": "21.5", "frequency": "868,3", "version": "3 beta"})) == [
        {"topic": "a/b", "format": "json", "ignore": ["version"]}
    ]


@pytest.mark.parametrize("text", ["1.234.567", "<0.1", "1e999"])
def test_a_field_that_no_option_reads_hides_no_other(text: str) -> None:
    assert inputs(("a/b", {"temp": 21.5, "odd": text})) == [{"topic": "a/b", "format": "json"}]


def test_a_version_that_has_a_topic_of_its_own_is_left_out() -> None:
    assert inputs(("dsmr/dsmr_version", "50"), ("dsmr/power", "1.5")) == [{"topic": "dsmr/power", "format": "number"}]


def test_tables_are_equivalent_toml() -> None:
    import tomllib

    told = [{"topic": 'a"\\ü', "values": {"on/x": 1.0, "off": 0.5}, "ignore": ["a", "b"], "units": True}]
    assert tomllib.loads(tables(told))["input"] == told


def test_the_memory_is_bounded() -> None:
    collected = heard(*(("a", str(each)) for each in range(PER_TOPIC + 5)))
    assert next(each.payload for each in collected.topics["a"]) == b"5"
    for each in range(TOPICS + 5):
        collected.add(Message(f"t{each}", b"1", NOW))
    collected.add(Message("a", b"x" * 300_000, NOW))
    assert (len(collected.topics), collected.dropped) == (TOPICS, 7)


def test_a_device_that_reports_itself_offline_is_an_incident_until_it_is_back() -> None:
    reading = '{"DS18B20": {"Temperature": 55.4}}'
    collected = heard(("tele/boiler/LWT", "Offline"), ("tele/boiler/SENSOR", reading))
    proposal = propose(collected, GatewayTopics("edgewarden/{gateway}", "gw"), "edgewarden/gw")
    assert proposal.inputs == [{"convention": "tasmota"}]
    assert not proposal.left_out
    pipeline = make_pipeline(parse(tables(proposal.inputs)).configuration)
    pipeline.process([Message("tele/boiler/SENSOR", reading.encode(), NOW - 1.0)])
    told: list[str] = []
    for place, payload in enumerate(("Online", "Offline", "Online", "Offline")):
        step = pipeline.process([Message("tele/boiler/LWT", payload.encode(), NOW + place)])
        told.append(" ".join(each.transition for each in step.events))
    assert told == ["", "raised", "cleared", "raised"]


def test_what_describes_devices_to_home_assistant_is_left_out() -> None:
    proposal, sensors = proposed(
        ("homeassistant/sensor/x/config", {"name": "x", "stat_t": "a/x", "exp_aft": 300}), ("a/x", {"temp": 21.5})
    )
    assert sensors == {"a/x/temp": 21.5}
    assert "Home Assistant" in proposal.left_out["homeassistant/sensor/x/config"]
