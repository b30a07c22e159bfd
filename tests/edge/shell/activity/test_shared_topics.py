"""Topics that several senders share although no template tells them apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from activity_line import T0, Line, Lines

from config.loading import parse
from edge.core.intake.decoders.documents.senders.sender_keys import senders_in
from edge.core.intake.decoders.documents.senders.turns import MOST
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.model.readings.messages import Message
from edge.shell.activity.senders.compared_messages import AT, SCALARS
from edge.shell.activity.senders.compared_messages import TOPICS as COMPARED_TOPICS
from edge.shell.activity.senders.shared_topics import EVERY, FIRST, MOST_TOLD, TOPICS, WITHOUT, SharedTopics
from edge.shell.activity.well_being import notes_on
from edge.shell.service.assembly.parts import make_pipeline


def watch(keys: str = "") -> SharedTopics:
    return SharedTopics(make_pipeline(parse(f'[[input]]\ntopic = "#"\n{keys}').configuration).intake.routes.find)


def message(document: object, topic: str = "air", *, retained: bool = False, redelivered: bool = False) -> Message:
    payload = document if isinstance(document, str) else json.dumps(document)
    return Message(topic, payload.encode(), T0, retained, redelivered=redelivered)


def senders(key: str, *texts: object, **more: object) -> list[Message]:
    return [message({key: each, "temp": 21.5, **more}) for each in texts]


@pytest.mark.parametrize(
    "key", ["device", "deviceId", "mac", "id", "channel", "serial", "host", "asset", "room", "group"]
)
def test_senders_that_take_turns_on_a_topic_are_noticed_once(key: str) -> None:
    found = watch()
    found.note(senders(key, "a", "b") * 20)
    assert (found.count, found.told) == (1, [("air", f'sensor = "{{topic}}/{{payload.{key}}}/{{field}}"', "")])


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("device", "id"),
        ("deviceInfo", "name"),
        ("source", "address"),
        ("data.sensor", "id"),
        ("end_device_ids", "device_id"),
        ("uplink.message.node", "serial"),
    ],
)
def test_senders_may_be_named_in_an_object(place: str, key: str) -> None:
    def document(sender: str) -> dict[str, object]:
        made: dict[str, object] = {key: sender}
        for each in reversed(place.split(".")):
            made = {each: made}
        return {**made, "temp": 21.5}

    found = watch()
    found.note([message(document(each)) for each in "ab" * 20])
    assert [each.remedy for each in found.told] == [f'sensor = "{{topic}}/{{payload.{place}.{key}}}/{{field}}"']


@pytest.mark.parametrize(
    "messages",
    [
        [message({"radio": {"id": each, "channel": each}, "temp": 21.5}) for each in "ab" * 20],
        senders("id", *range(100)),
        senders("device", *["a"] * 100),
        senders("device", *["a"] * 20, *["b"] * 20),
        senders("state", *"ab" * 20),
        [message({"device": each, each: 1}) for each in "ab" * 20],
        [message({"model": "T", "id": each, "temp": 21.5}) for each in "ab" * 20],
        [message({"sensor": each, "value": 21.5}) for each in "ab" * 20],
        [message({"device": each, "temp": 21.5}, retained=True) for each in "ab" * 20],
        [message({"device": each, "temp": 21.5}, redelivered=each == "b") for each in "ab" * 20],
        [message({"device": each, "state": "on"}) for each in "ab" * 20],
        [message("21.5"), message("{"), message("[1, 2]")] * 10,
        [message({"device": each, "temp": 21.5}, f"air/{each}") for each in "ab" * 20],
    ],
)
def test_a_topic_with_one_sender_or_different_sensors_is_not_one(messages: list[Message]) -> None:
    found = watch()
    found.note(messages)
    assert found.told == []


@pytest.mark.parametrize(
    "keys", ['sensor = "{topic}/{payload.device}/{field}"', 'format = "number"', 'format = "influx"']
)
def test_an_input_whose_template_names_the_sender_is_not_examined(keys: str) -> None:
    found = watch(keys)
    found.note(senders("device", *"ab" * 20))
    assert found.told == []


def test_the_field_may_be_in_an_object_and_the_template_of_the_input_is_kept() -> None:
    found = watch('sensor = "house/{1}"\nitems = "data"')
    found.note([message({"data": {"value": 1}, "deviceInfo": {"devEui": each}}) for each in "ab" * 20])
    assert [each.remedy for each in found.told] == ['sensor = "house/{1}/{payload.deviceInfo.devEui}"']
    parse(f'[[input]]\ntopic = "#"\n{found.told[0].remedy}')
    assert dict(senders_in({"a.b": {"mac": 1}, "x": {"m.ac": 1, "mac": 2}, "id": 3.5, "wifi": {"channel": 6}})) == {
        "x.mac": "2"
    }


@pytest.mark.parametrize(
    ("documents", "remedy"),
    [
        ([{"nodo": f"N{n}", "temp": 20 + n} for n in (1, 2)], 'sensor = "{topic}/{payload.nodo}/{field}"'),
        ([{"src": n, "temp": 20} for n in (17, 23)], 'sensor = "{topic}/{payload.src}/{field}"'),
        (
            [{"gw": "g", "nodes": [{"nid": n, "temp": 20}]} for n in (7, 9)],
            'items = "nodes[*]" with name = "{nid}"',
        ),
        ([[{"nid": n, "temp": 20}] for n in (7, 9)], 'items = "[*]" with name = "{nid}"'),
    ],
)
def test_senders_are_told_apart_by_a_field_with_any_other_name(documents: list[object], remedy: str) -> None:
    found = watch()
    found.note([message(each) for each in documents * 4])
    assert [each[:2] for each in found.told] == [("air", remedy)]
    told = parse(f'[[input]]\ntopic = "#"\n{remedy.replace(" with ", chr(10))}').configuration
    batch = make_pipeline(told).intake.read([message(each) for each in documents * 4], [], [])
    assert len(set(batch.slots.tolist())) == 2


def test_messages_are_compared_of_a_limited_number_of_topics_and_size_and_only_at_first() -> None:
    found, many = watch(), {f"f{each}": each for each in range(MOST)}
    found.note([message({"nodo": "N1", "temp": 20}, f"air/{each}") for each in range(2 * COMPARED_TOPICS)])
    assert sum(f"air/{each}" in found._compared for each in range(2 * COMPARED_TOPICS)) == COMPARED_TOPICS
    for _ in range(FIRST + (AT[-1] - FIRST) * EVERY):
        found.note([message({"nodo": "N1", "temp": 20}, "air/0")])
    assert "air/0" not in found._compared
    for _ in range(FIRST):
        found.note([message({"nodo": f"N{each}" * 9, **many}, f"air/{each}") for each in range(COMPARED_TOPICS)])
    assert 0 < found._compared._size <= SCALARS + MOST
    found = watch()
    found.note([message({"temp": 20})] * 2)
    assert not any(f"air/{each}" in found._compared for each in range(2 * COMPARED_TOPICS))
    assert found.told == []


def test_a_sender_that_appears_later_is_noticed_too() -> None:
    found = watch()
    found.note(senders("device", *["a"] * 500))
    assert found.told == []
    found.note(senders("device", *"ab" * (2 * EVERY)))
    assert found.count == 1


def test_one_under_an_unusual_key_is_too_and_so_are_more_than_the_first_messages_show() -> None:
    found = watch()
    found.note([message({"nodo": "N1", "temp": 20})] * (20 * EVERY))
    found.note([message({"nodo": each, "temp": 20}) for each in ("N1", "N2") * (30 * EVERY)])
    assert [each.remedy for each in found.told] == ['sensor = "{topic}/{payload.nodo}/{field}"']
    found = watch()
    found.note([message({"wer": f"Raum {each % 20}a", "temp": 20}) for each in range(60 * EVERY)])
    assert [each.remedy for each in found.told] == ['sensor = "{topic}/{payload.wer}/{field}"']


def test_two_words_that_alternate_may_be_states(log: Lines, tmp_path: Path) -> None:
    line = Line(tmp_path / "store.db")
    line.take(0, *[("house/air", json.dumps({"ort": each, "temp": 21.5}).encode()) for each in ("Keller", "Dach") * 8])
    remedy = 'sensor = "{topic}/{payload.ort}/{field}"'
    (told,) = log.take("topic_shared")
    assert told.endswith(f"become the same sensors, unless ort is a state; {remedy} tells them apart")
    assert notes_on(line.activity.as_dict(0, "running") | {"health": {}})[0] == (
        "several senders share the topic house/air, and their readings become the same sensors, unless ort is a state: "
        f"{remedy} of the input tells them apart"
    )


def test_what_is_remembered_is_bounded_and_a_topic_without_senders_is_left_alone() -> None:
    found = watch()
    found.note([message({"temp": 1, "id": f"{each}"}, f"air/{each}") for each in range(2 * TOPICS)])
    assert len(found._topics) == TOPICS
    found = watch()
    found.note([message({"temp": 1})] * WITHOUT + senders("device", *"ab" * FIRST))
    assert found.told == []
    for topic in range(2 * MOST_TOLD):
        found.note([message({"id": each, "temp": 1}, f"air/{topic}") for each in "abab"])
    assert (found.count, len(found.told)) == (2 * MOST_TOLD, MOST_TOLD)


def test_the_log_and_the_status_say_what_tells_the_senders_apart(log: Lines, tmp_path: Path) -> None:
    line = Line(tmp_path / "store.db")
    line.take(0, *[("house/air", json.dumps({"device": each, "temp": 21.5}).encode()) for each in "abab"])
    told = "topic_shared topic='house/air': readings of several senders become the same sensors; "
    assert log.take("topic_shared") == [told + 'sensor = "{topic}/{payload.device}/{field}" tells them apart']
    status = line.activity.as_dict(0, "running") | {"health": {}}
    assert notes_on(status)[0] == (
        "several senders share the topic house/air, and their readings become the same sensors: "
        'sensor = "{topic}/{payload.device}/{field}" of the input tells them apart'
    )


def test_the_status_names_a_template_for_each_kind_of_sender_and_counts_what_it_does_not_name() -> None:
    found = [("a", "{payload.id}"), ("b", "{payload.mac}"), ("c", "{payload.id}")]
    topics = [{"topic": topic, "remedy": f'sensor = "{sensor}"'} for topic, sensor in found]
    alike = "and their readings become the same sensors: sensor = "
    assert notes_on({"shared": {"count": 8, "topics": topics}}) == [
        f'several senders share the topic a and 1 other topic, {alike}"{{payload.id}}" of the input tells them apart',
        f'several senders share the topic b, {alike}"{{payload.mac}}" of the input tells them apart',
        "several senders share each of 5 further topics",
    ]


def test_what_was_logged_is_not_logged_again_after_a_reload(log: Lines) -> None:
    first = watch()
    first.note(senders("device", *"abab"))
    assert len(log.take("topic_shared")) == 1
    again = SharedTopics(first._find, first.told)
    again.note(senders("device", *"abab"))
    assert (again.count, again.told, log.take("topic_shared")) == (1, first.told, [])


def test_a_message_is_parsed_once_to_see_its_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    read = FieldsDecoder.read
    monkeypatch.setattr(FieldsDecoder, "read", lambda decoder, given: (parsed.append(given), read(decoder, given))[1])
    watch().note(senders("device", "a", "b"))
    assert len(parsed) == 2
