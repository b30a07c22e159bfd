"""Lists and senders in JSON: how an element is named, and which lists are refused."""

from __future__ import annotations

import pytest
from json_samples import NOON, plain, reason, refusals, samples

from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Refused


def test_elements_of_a_list_are_distinguished_by_a_name_that_all_have() -> None:
    named = '[{"name": "temp", "value": 21.5}, {"name": "hum", "value": 60.5}]'
    assert samples(named) == [("temp", 21.5, None), ("hum", 60.5, None)]
    assert samples('{"data": [{"id": 1, "temp": 3}, {"id": 2, "temp": 5}]}') == [
        ("data/1/temp", 3.0, None),
        ("data/2/temp", 5.0, None),
    ]
    assert samples('[{"mac": "A/B", "temp": 3, "ts": 1700000000}]') == [("A%2FB/temp", 3.0, NOON)]


@pytest.mark.parametrize("key", ["room", "Tank", "asset", "machine_id", "location"])
def test_elements_of_a_list_are_named_by_the_thing_or_place_that_they_are_of(key: str) -> None:
    element = f'{{"{key}": "%s", "temp": %s, "hum": 40, "ts": 1700000000}}'
    assert samples(f"[{element % ('a', 3)}, {element % ('b', 5)}]") == [
        ("a/temp", 3.0, NOON), ("a/hum", 40.0, NOON), ("b/temp", 5.0, NOON), ("b/hum", 40.0, NOON)
    ]  # fmt: skip
    assert samples(f'[{{"{key}": "a", "value": 1}}, {{"{key}": "b", "value": 2}}]') == [
        ("a", 1.0, None), ("b", 2.0, None)
    ]  # fmt: skip


def test_elements_with_several_numbers_are_named_by_a_channel_at_one_time_and_at_several() -> None:
    element = '{"channel": "%s", "temp": %s, "hum": 40, "ts": %s}'
    same = f"[{element % ('a', 3, 1700000000)}, {element % ('b', 5, 1700000000)}]"
    assert [each[:2] for each in samples(same)] == [("a/temp", 3), ("a/hum", 40), ("b/temp", 5), ("b/hum", 40)]
    later = f"[{element % ('a', 3, 1700000000)}, {element % ('a', 5, 1700000060)}]"
    assert [each[:2] for each in samples(later)] == [("a/temp", 3), ("a/hum", 40), ("a/temp", 5), ("a/hum", 40)]
    of_types = later.replace("channel", "type")
    assert [each[:2] for each in samples(of_types)] == [("temp", 3), ("hum", 40), ("temp", 5), ("hum", 40)]


@pytest.mark.parametrize("key", ["vehicle", "Pump", "compartment"])
def test_elements_of_a_list_are_the_columns_of_a_table_if_a_text_occurs_once_at_each_time(key: str) -> None:
    element = f'{{"{key}": "%s", "bar": %s, "ts": %s}}'
    two = ", ".join(element % each for each in [("P1", 3, 1700000000), ("P2", 5, 1700000000)])
    later = ", ".join(element % each for each in [("P1", 4, 1700000060), ("P2", 6, 1700000060)])
    assert samples(f"[{two}]") == [("P1/bar", 3.0, NOON), ("P2/bar", 5.0, NOON)]
    assert samples(f"[{two}, {later}]") == [
        ("P1/bar", 3.0, NOON), ("P2/bar", 5.0, NOON), ("P1/bar", 4.0, NOON + 60), ("P2/bar", 6.0, NOON + 60)
    ]  # fmt: skip


def test_a_text_that_changes_with_a_series_does_not_name_its_elements() -> None:
    element = '{"mode": "%s", "bar": %s, "ts": %s}'
    run, stop, idle = (
        element % ("run", 3, 1700000000),
        element % ("stop", 4, 1700000060),
        element % ("idle", 5, 1.7e9),
    )
    assert samples(f"[{run}, {stop}]") == [("bar", 3.0, NOON), ("bar", 4.0, NOON + 60)]
    assert samples(f"[{run}, {idle}, {stop}]") == [("bar", 3.0, NOON), ("bar", 4.0, NOON + 60)]
    assert ("no_sender", "1/bar") in refusals(f"[{run}, {idle}, {stop}]")


@pytest.mark.parametrize("texts", [("on", "off"), ("run", "run"), ("3.1", "3.2")], ids=["states", "one", "numbers"])
def test_elements_of_one_time_without_a_name_are_refused_and_not_merged(texts: tuple[str, str]) -> None:
    first, second = (f'{{"mode": "{each}", "bar": 3, "ts": 1700000000}}' for each in texts)
    assert reason(f"[{first}, {second}]") == "no_sender"
    assert ("no_sender", "x") in refusals(f'{{"x": [{first}, {second}], "y": 1}}')
    many = ", ".join(f'{{"bar": {each}.5, "ts": 1700000000.0}}' for each in range(6))
    assert reason(f"[{many}]") == "no_sender"
    assert len(samples(f"[{many.replace('bar', 'value')}]")) == 6, "a coarse clock"


@pytest.mark.parametrize(
    ("element", "names"),
    [
        ('{"plate": "B-AB %s", "temp": %s}', "trucks/B-AB %s/temp"),
        ('{"truck": %s, "temp": %s}', "trucks/%s/temp"),
        ('{"truckNo": "%s", "temp": %s}', "trucks/%s/temp"),
        ('{"compartment": "no%s", "temp": %s}', "trucks/no%s/temp"),
        ('{"wagenmarke": "W%s", "temp": %s}', "trucks/W%s/temp"),
        ('{"flag": "TEMP%s", "value": %s}', "trucks/TEMP%s/value"),
        ('{"entfernt": "links%s", "value": %s}', "trucks/links%s/value"),
    ],
)
@pytest.mark.parametrize("time", ["", ', "time": 1700000000'])
def test_an_element_keeps_its_name_when_others_leave_the_list(element: str, names: str, time: str) -> None:
    one, two = (element % each for each in ((1, 4.5), (2, 5.5)))
    both = samples(f'{{"trucks": [{one}, {two}]{time}}}')
    assert [each[:2] for each in both] == [(names % 1, 4.5), (names % 2, 5.5)]
    assert samples(f'{{"trucks": [{two}]{time}}}') == both[1:]
    timed = one.replace("}", ', "ts": 1700000000}'), two.replace("}", ', "ts": 1700000060}')
    own = samples(f'{{"trucks": [{timed[0]}, {timed[1]}]}}')
    assert [each[0] for each in own] == [names % 1, names % 2]
    assert samples(f'{{"trucks": [{timed[1]}]}}') == own[1:]


def test_a_number_that_numbers_a_part_is_its_name_and_one_that_may_be_its_state_is_a_reading() -> None:
    strings = '[{"string": 1, "w": 3.5, "time": 1700000000}, {"string": 2, "w": 5.5, "time": 1700000000}]'
    assert samples(strings) == [("1/w", 3.5, NOON), ("2/w", 5.5, NOON)]
    assert samples('{"packs": [{"pack": 2, "v": 51.0, "soc": 80}]}') == [
        ("packs/2/v", 51.0, None), ("packs/2/soc", 80.0, None),
    ]  # fmt: skip
    assert samples('[{"pump": 1, "bar": 3, "time": 1700000000}]') == [("pump", 1.0, NOON), ("bar", 3.0, NOON)]
    assert samples('{"pumps": [{"pump": 1, "bar": 3}]}') == [("pumps/1/bar", 3.0, None)]
    assert samples('{"cells": [{"cell": 3301}, {"cell": 3302}]}') == [
        ("cells/0/cell", 3301.0, None), ("cells/1/cell", 3302.0, None),
    ]  # fmt: skip


def test_what_is_unique_names_an_element_by_itself() -> None:
    radio = '{"rxInfo": [{"channel": 2, "gatewayId": "0016c0", "rssi": -36}]}'
    assert samples(radio) == [("rxInfo/0016c0/channel", 2.0, None), ("rxInfo/0016c0/rssi", -36.0, None)]
    assert samples('{"u": [{"rack": 1, "slot": "B", "temp": 3}]}') == [("u/1/B/temp", 3.0, None)]


def test_what_describes_an_element_does_not_name_it() -> None:
    for described in ('"firmware": "v1.2"', '"batch": "B123"', '"comment": "see A4"', '"mode": "P3"', '"fault": "E12"'):
        element = f'{{"ts": 1700000000, {described}, "temp": 3, "hum": 40}}'
        assert [each.path for each in plain.decode(f"[{element}]".encode()).samples] == ["temp", "hum"]


def test_elements_are_named_by_their_tags_too_also_in_a_list_of_one() -> None:
    element = '{"name": "cpu", "%s": {"host": "pi", "core": "%s"}, "idle": %s, "timestamp": 1700000000}'
    for key in ("tags", "labels"):
        both = f'{{"m": [{element % (key, "c0", 98)}, {element % (key, "c1", 88)}]}}'
        assert samples(both) == [("m/cpu/c0/pi/idle", 98.0, NOON), ("m/cpu/c1/pi/idle", 88.0, NOON)]
        assert samples(f'{{"m": [{element % (key, "c1", 88)}]}}') == [("m/cpu/c1/pi/idle", 88.0, NOON)]


def test_tags_that_are_values_or_missing_name_nothing() -> None:
    assert samples('[{"name": "a", "tags": {"x": 1.5}}]') == [("a/tags/x", 1.5, None)]
    assert samples('[{"name": "a", "tags": {"x": "1.5"}}]') == [("a/tags/x", 1.5, None)]
    assert samples('[{"name": "a", "tags": {}, "x": 1.5}]') == [("a/x", 1.5, None)]


def test_a_path_names_a_reading_next_to_what_tells_of_its_message() -> None:
    changed = '{"path": "/motor/rpm", "value": 1200, "revision": 23, "headers": {"type": "json"}, "topic": "twin"}'
    assert FieldsDecoder(names_devices=True).decode(changed.encode()).samples == [("%2Fmotor%2Frpm", 1200.0, None)]
    assert samples('[{"path": "/a", "v": 1}, {"path": "/b", "v": 2}]') == [("%2Fa/v", 1.0, None), ("%2Fb/v", 2.0, None)]


def test_a_reading_may_be_named_by_what_it_is_called_next_to_its_sender() -> None:
    element = '{"id": "%s", "origin": 1700000000000000000, "deviceName": "d", "resourceName": "%s", "value": "%s"}'
    both = f'{{"origin": 1700000000000000000, "readings": [{element % ("a", "T", 21.5)}, {element % ("b", "H", 48)}]}}'
    assert samples(both) == [("readings/T/value", 21.5, NOON), ("readings/H/value", 48.0, NOON)]
    stations = '{"data": [{"devId": 1001, "map": {"p": 5.5}, "collectTime": 1700000000000}]}'
    assert samples(stations) == [("data/1001/map/p", 5.5, NOON)]


def test_a_whole_number_as_a_text_may_label_a_value() -> None:
    both = '{"e": [{"n": "5700", "v": 22.1}, {"n": "5701", "sv": "Cel"}]}'
    assert samples(both) == [("e/5700/v", 22.1, None)]


def test_elements_are_told_apart_by_their_instances() -> None:
    element = '{"type": "cpu", "type_instance": "%s", "values": [%s], "time": 1700000000}'
    both = f"[{element % ('idle', 98)}, {element % ('user', 2)}]"
    assert samples(both) == [("cpu/idle/values/0", 98.0, NOON), ("cpu/user/values/0", 2.0, NOON)]


def test_elements_of_one_name_and_time_whose_texts_differ_are_not_merged() -> None:
    element = '{"name": "cpu", "about": {"core": "%s"}, "fields": {"idle": %s}, "timestamp": 1700000000}'
    two = f'{{"m": [{element % ("c0", 98)}, {element % ("c1", 88)}]}}'
    assert samples(two) == [("m/cpu/fields/idle", 98.0, NOON)]
    assert ("no_sender", "m/cpu/fields/idle") in refusals(two)
    coarse = two.replace("c1", "c0")
    assert [each[1] for each in samples(coarse)] == [98.0, 88.0]


def test_a_text_in_the_field_of_the_value_does_not_name_the_elements_of_a_list() -> None:
    two = '{"value": "run", "bar": 3, "ts": 1700000000}, {"value": "idle", "bar": 5, "ts": 1700000000}'
    assert refusals(f"[{two}]") == [("not_a_number", "0/value"), ("not_a_number", "1/value")]


def test_elements_of_a_list_with_their_own_times_form_one_series() -> None:
    assert samples('{"data": [{"ts": 1700000000, "a": 3}, {"ts": 1700000060, "a": 5}]}') == [
        ("data/a", 3.0, NOON),
        ("data/a", 5.0, NOON + 60),
    ]


def test_a_list_without_distinguishing_fields_is_refused_with_a_reason() -> None:
    timed = '[{"ts": 1700000000, "id": 1, "a": 3}, {"ts": 1700000060, "id": 2, "a": 5}]'
    assert reason(timed) == "no_sender"
    assert refusals(f'{{"b": 1, "data": {timed}}}') == [("no_sender", "data")]
    assert samples('[{"a": 1}, {"a": 2}]') == [("a", 1.0, None)]
    assert refusals('[{"a": 1}, {"a": 2}]') == [("no_sender", "1/a")]
    assert samples("[21.5, 48]") == [("0", 21.5, None), ("1", 48.0, None)]


@pytest.mark.parametrize(
    "payload", ['[{"bn": "a", "n": "b", "v": 1}]', '[{"n": "a", "u": "V", "v": 1}, {"n": "b", "v": 2}]']
)
def test_senml_is_not_read_as_json(payload: str) -> None:
    with pytest.raises(Refused, match="senml"):
        plain.decode(payload.encode())


def test_the_elements_of_one_list_are_named_by_the_setting_of_the_input() -> None:
    decoder = FieldsDecoder(items="d.values[*]", item_name="{id}-{index}", value_key="v", time_keys=("t", "ts"))
    payload = '{"ts": 1700000000, "x": 9, "d": {"values": [{"id": "a", "v": 1, "t": 1700000060}, {"id": 7, "v": "2"}]}}'
    assert samples(payload, decoder) == [("a-0", 1.0, NOON + 60), ("7-1", 2.0, NOON)]
    assert refusals('{"d": {"values": [{"v": 1}, {"id": 1, "v": 1}]}}', decoder) == [("no_sender", "0")]
    assert reason('{"values": 5}', decoder) == "no_value"
    assert samples("[1, 2.5]", FieldsDecoder(items="[*]")) == [("0", 1.0, None), ("1", 2.5, None)]


def test_identifying_fields_of_a_payload_come_before_the_path() -> None:
    decoder = FieldsDecoder(sender=("payload.model", "payload.d.id", "payload.channel?"))
    payload = '{"model": "A/x", "d": {"id": 5}, "temp": 3}'
    assert samples(payload, decoder) == [("A%2Fx\x1f5\x1f\x1ftemp", 3.0, None)]
    assert reason('{"model": "A", "temp": 3}', decoder) == "no_sender"


def test_an_object_of_tags_names_the_sender_by_all_of_them_in_the_order_of_their_keys() -> None:
    decoder = FieldsDecoder(sender=("payload.tags?",), items="fields")
    assert samples('{"tags": {"host": "a/b", "cpu": 0}, "fields": {"x": 1}}', decoder) == [("0/a%2Fb\x1fx", 1.0, None)]
    for tags in ("{}", '{"host": 1.5}', '{"host": {"a": 1}}', "[1]", f'{{"host": "{"x" * 90}", "rack": "{"y" * 90}"}}'):
        assert samples(f'{{"tags": {tags}, "fields": {{"x": 1}}}}', decoder) == [("\x1fx", 1.0, None)]
    assert reason('{"tags": {}, "x": 1}', FieldsDecoder(sender=("payload.tags",))) == "no_sender"


def test_values_with_several_labels_are_told_apart_by_all_of_them() -> None:
    registers = '{"type": "holding", "address": 40001, "value": 1}, {"type": "holding", "address": 40002, "value": 2}'
    assert samples(f'{{"r": [{registers}]}}') == [
        ("r/holding/40001/value", 1.0, None), ("r/holding/40002/value", 2.0, None),
    ]  # fmt: skip
    assert samples(f"[{registers}]") == [("holding/40001", 1.0, None), ("holding/40002", 2.0, None)]
    sampled = (
        '{"value": "230.1", "context": "x", "measurand": "Voltage", "phase": "L1"},'
        '{"value": "229.8", "context": "x", "measurand": "Voltage", "phase": "L2"},'
        '{"value": "5.5", "context": "x", "measurand": "Energy"}'
    )
    assert [path for path, *_ in samples(f'{{"s": [{sampled}]}}')] == [
        "s/Voltage/L1/value", "s/Voltage/L2/value", "s/Energy/value",
    ]  # fmt: skip
    shared = '[{"device": "d", "type": "temp", "value": 1}, {"device": "d", "type": "hum", "value": 2}]'
    assert samples(shared) == [("d/temp", 1.0, None), ("d/hum", 2.0, None)]
    named = '[{"device": "a", "name": "t", "value": 1}, {"device": "b", "name": "t", "value": 2}]'
    assert samples(named) == [("a/t", 1.0, None), ("b/t", 2.0, None)]


def test_elements_with_one_name_and_no_times_are_not_merged() -> None:
    twins = '[{"type": "temperature", "value": 1}, {"type": "temperature", "value": 2}, {"type": "hum", "value": 3}]'
    assert samples(twins) == [("temperature", 1.0, None), ("hum", 3.0, None)]
    assert refusals(twins) == [("no_sender", "1/temperature")]
    nested = f'{{"ts": 1700000000, "s": {twins}}}'
    assert samples(nested) == [("s/temperature/value", 1.0, NOON), ("s/hum/value", 3.0, NOON)]
    assert refusals(nested) == [("no_sender", "s/temperature/value")]
    timed = '[{"name": "a", "ts": 1700000000, "v": 1}, {"name": "a", "ts": 1700000060, "v": 2}]'
    assert samples(timed) == [("a/v", 1.0, NOON), ("a/v", 2.0, NOON + 60)]
    parts = '[{"device": "a", "temp": 1}, {"device": "a", "hum": 2}]'
    assert samples(parts) == [("a/temp", 1.0, None), ("a/hum", 2.0, None)]


def test_names_are_recognised_in_any_spelling_also_of_one_element() -> None:
    assert samples('{"meters": [{"meter": "M1", "E": 1.5}]}') == [("meters/M1/E", 1.5, None)]
    nodes = (
        '{"NodeId": "ns=2;s=T", "DisplayName": "T", "Value": {"Value": 1.5, "SourceTimestamp": "2023-11-14T22:13:20Z"}}'
    )
    assert samples(f"[{nodes}]") == [("T/Value/Value", 1.5, NOON)]
