"""A command of the operator is executed once, in any batches and across restarts, and is answered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.notation.calendar import Window
from edge.core.incidents.events.event import event_json_schema
from edge.core.intake.decoders import FieldsDecoder
from edge.core.intake.routes import Route, Routes
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.core.model.sensors.sensors import Repetition
from edge.core.operator.commands import REASONS, WORDS, commands_json_schema
from edge.core.operator.shelves import SHELVES
from edge.core.pipeline import Pipeline
from tests.edge.core.pipelines import SETTINGS, START, Line, differing, plant, reading, revived, rule
from tests.edge.core.pipelines import pipeline as plain_pipeline

SENSORS = ("paced/a", "paced/b", "now/c")


def pipeline(*windows: Window, reorder_s: float = 0.0) -> Pipeline:
    routes = [
        Route("paced/#", "{topic}", FieldsDecoder(), Repetition.PERIODIC, time_from_payload=True),
        Route("now/#", "{topic}", FieldsDecoder(), Repetition.PERIODIC, time_from_payload=False),
    ]
    usual = rule(settings=SETTINGS)
    return Pipeline(
        "gw",
        Topics("edgewarden"),
        Routes(routes, "edgewarden"),
        lambda _: usual,
        reorder_s=reorder_s,
        maintenance=windows,
    )


def command(name: str, arrived: float = START, retained: bool = False, /, **fields: Any) -> Message:
    return Message(f"edgewarden/command/{name}", json.dumps(fields).encode(), arrived, retained)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat()


class AnsweredLine(Line):
    """A pipeline, with the answers to its commands."""

    def __init__(self, made: Pipeline) -> None:
        super().__init__(made)
        self.answers: list[dict[str, Any]] = []

    def take(self, messages: list[Message], cut: int = 10_000) -> AnsweredLine:
        for start in range(0, len(messages), cut):
            for step, _ in self.pipeline.steps(messages[start : start + cut]):
                self.note(step)
                self.answers += [json.loads(each) for each in step.answers]
        return self

    def transitions(self, sensor: str = "paced/a") -> list[str]:
        return [each.transition for each in self.events if each.sensor == sensor]

    def last(self, sensor: str = "paced/a") -> dict[str, Any]:
        return json.loads([each for each in self.events if each.sensor == sensor][-1].payload)["data"]


def warm(*windows: Window) -> AnsweredLine:
    return AnsweredLine(pipeline(*windows)).take(plant(START + np.arange(-20.0, 0.0), *SENSORS))


def bad(times: Iterable[float], sensor: str = "paced/a", value: float = 95.0) -> list[Message]:
    return [reading(sensor, START + each, value) for each in times]


def calm(times: Iterable[float], *sensors: str) -> list[Message]:
    return plant(START + np.array(list(times), dtype=float), *(sensors or ("paced/a",)))


def test_an_acknowledged_incident_stays_acknowledged_until_it_ends() -> None:
    line = warm().take([*bad([0]), command("acknowledge", sensor="paced/a", by="Ada", comment="seen", id="1")])
    assert line.transitions() == ["raised", "acknowledged"]
    assert (line.last()["acknowledged"], line.last()["by"], line.last()["comment"]) == (True, "Ada", "seen")
    assert line.answers[0]["ok"]
    assert line.answers[0]["incidents"] == [line.events[0].incident]
    line.take(calm(range(1, 6)))
    assert line.transitions()[-1] == "cleared"
    assert line.last()["acknowledged"]
    for event in line.events:
        jsonschema.Draft202012Validator(event_json_schema()).validate(json.loads(event.payload))


def test_an_incident_is_found_by_its_id() -> None:
    line = warm().take([*bad([0]), *bad([0.5], "paced/b")])
    line.take([command("acknowledge", incident=line.events[1].incident)])
    assert line.transitions("paced/b") == ["raised", "acknowledged"]
    assert line.transitions() == ["raised"]


def test_nothing_is_published_about_a_shelved_sensor_until_it_is_unshelved() -> None:
    line = warm().take([command("shelve", sensor="paced/a", until=at(10)), *bad([0, 1]), *calm(range(2, 8))])
    assert line.transitions() == []
    line.take([*bad([9, 9.5]), *calm([10], "paced/b")])
    assert line.transitions() == ["raised"]
    raised = next(each for each in line.events if each.sensor == "paced/a")
    assert not json.loads(raised.payload)["data"]["shelved"]
    assert raised.time == pytest.approx(START + 10)


def test_an_incident_raised_before_shelving_still_ends_for_its_subscribers() -> None:
    line = warm().take([*bad([0]), command("shelve", sensor="paced/*", until=at(60)), *bad([1, 2]), *calm(range(3, 8))])
    assert line.transitions() == ["raised", "shelved", "cleared"]
    assert line.last()["shelved"]


def test_an_incident_that_is_still_open_after_unshelving_is_published() -> None:
    line = warm().take(
        [*bad([0]), command("shelve", sensor="paced/a", until=at(60)), command("unshelve", sensor="paced/a")]
    )
    assert line.transitions() == ["raised", "shelved", "unshelved"]
    assert line.last()["active"]


def test_a_shelf_expires_without_messages_and_that_is_journaled() -> None:
    line = warm().take([*bad([0]), command("shelve", sensor="paced/a", until=at(5))])
    saved, parts = line.pipeline.save("", ""), len(line.parts)
    line.note(line.pipeline.tick(4.0)).note(line.pipeline.tick(5.5))
    assert line.transitions() == ["raised", "shelved", "unshelved"]
    again = revived(pipeline(), saved, line.parts[parts:])
    assert differing(again.pipeline, line.pipeline) == []


def test_a_level_declared_normal_ends_the_incident_and_is_learned() -> None:
    line = warm().take([*calm(range(300)), *bad(range(300, 304), value=60.0), command("normal", sensor="paced/a")])
    assert line.transitions()[-1] == "expired"
    assert 0 not in line.pipeline.engine.open_incidents
    said = len(line.transitions())
    line.take(bad(range(304, 500), value=60.0))
    assert "raised" not in line.transitions()[said:]
    assert 0 not in line.pipeline.engine.open_incidents


def test_a_silence_can_be_declared_normal() -> None:
    line = warm().take(calm(range(200), "paced/b"))
    assert "raised" in line.transitions()
    line.take([command("normal", sensor="paced/a")])
    assert line.transitions()[-1] == "expired"
    assert "silent" in line.last()["message"]
    before = len(line.events)
    line.take(calm(range(200, 2000, 5), "paced/b"))
    assert [each for each in line.events[before:] if each.sensor == "paced/a"] == []


def test_maintenance_is_quiet_and_learns_nothing() -> None:
    window = Window("clean", "paced/a", START, START + 50)
    line = warm(window)
    engine = line.pipeline.engine
    ewma = next(each for each in engine.ordered_groups[0].tables if each.detector.name == "ewma")
    learned = {name: ewma.arrays[name][0].tolist() for name, field in ewma.fields.items() if field.learned}
    line.take([message for each in range(50) for message in [*bad([each]), *calm([each + 0.5], "paced/b")]])
    assert line.transitions() == []
    assert {name: ewma.arrays[name][0].tolist() for name in learned} == learned
    line.take(bad([50.0]))
    assert line.transitions() == ["raised"]


def test_maintenance_with_learning_learns() -> None:
    line = warm(Window("clean", "paced/a", START, START + 50, learn=True))
    engine = line.pipeline.engine
    ewma = next(each for each in engine.ordered_groups[0].tables if each.detector.name == "ewma")
    before = {name: each[0].tolist() for name, each in ewma.arrays.items()}
    line.take(calm(range(1, 30)))
    assert {name: each[0].tolist() for name, each in ewma.arrays.items()} != before


def test_maintenance_is_not_adopted_as_normal() -> None:
    line = warm(Window("clean", "paced/a", START, START + 2000))
    line.take([m for each in range(0, 2000, 10) for m in [*bad([each]), *calm([each + 5], "paced/b")]])
    line.take([*calm([2000, 2001], "paced/b"), *bad([2002])])
    assert "expired" not in line.transitions()
    assert "raised" in line.transitions()


def test_a_command_with_an_id_acts_once_and_is_answered_each_time() -> None:
    shelve = command("shelve", sensor="paced/a", until=at(60), id="x")
    line = warm().take([*bad([0]), shelve, command("unshelve", sensor="paced/a"), shelve])
    assert line.transitions() == ["raised", "shelved", "unshelved"]
    assert [each.get("repeated", False) for each in line.answers] == [False, False, True]
    line.take([command("unshelve", sensor="paced/a", id="x")])
    assert line.answers[-1]["reason"] == "id_reused"


def test_a_redelivered_command_acts_once() -> None:
    first = command("normal", sensor="paced/a")._replace(qos=1, packet=7)
    line = warm().take([*bad(range(4)), first, *bad([5, 6])])
    count = len(line.events)
    line.take([first._replace(redelivered=True)])
    assert len(line.events) == count
    assert len(line.answers) == 1
    assert line.pipeline.counters.balanced


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (command("shelve", START, True, sensor="a", until="2h"), "retained"),
        (Message("edgewarden/command/shelve", b"{" + b" " * 5000 + b"}", START), "too_large"),
        (Message("edgewarden/command/shelve", b"\xff", START), "malformed"),
        (Message("edgewarden/command/shelve", b"[" * 4000, START), "malformed"),
        (command("shelve", sensor="a", until="2h", unknown=1), "malformed"),
        (command("shelve", sensor="a"), "malformed"),
        (command("shelve", sensor="a", until="2h", comment="x" * 201), "malformed"),
        (command("acknowledge"), "malformed"),
        (command("acknowledge", sensor="a", incident="b"), "malformed"),
        (command("dance"), "unknown_command"),
        (command("shelve", sensor="a/#", until="2h"), "bad_pattern"),
        (command("shelve", sensor="a", until="soon"), "bad_time"),
        (command("shelve", sensor="a", until="2026-01-01T00:00:00"), "bad_time"),
        (command("shelve", sensor="a", until=at(-60)), "time_passed"),
        (command("shelve", sensor="a", until="400d"), "time_too_far"),
        (command("maintenance", sensor="a", name="m"), "bad_window"),
        (command("maintenance", sensor="a", name="m", every="some day"), "bad_window"),
        (command("maintenance", sensor="a", name="m", every="Mon 06:00-08:00", zone="Nowhere/At"), "bad_window"),
        (command("maintenance", sensor="a", name="fixed", to="2h"), "bad_window"),
        (command("acknowledge", sensor="paced/a"), "no_open_incident"),
        (command("normal", incident="abc"), "no_open_incident"),
        (command("unshelve", sensor="paced/a"), "not_shelved"),
        (command("end_maintenance", name="m"), "no_window"),
    ],
)
def test_a_command_that_fails_is_counted_answered_and_kept(message: Message, reason: str) -> None:
    line = warm(Window("fixed", "x", every="Mon 06:00-08:00")).take([message])
    assert (line.answers[0]["ok"], line.answers[0]["reason"]) == (False, reason)
    assert line.answers[0]["message"]
    assert line.refused == [reason]
    assert dict(line.pipeline.counters.commands_refused) == {reason: 1}
    assert line.pipeline.counters.balanced
    assert line.events == []
    assert reason in REASONS


def test_the_number_of_shelves_is_limited() -> None:
    line = warm().take([command("shelve", sensor=f"s{each}", until="2h") for each in range(SHELVES + 1)])
    assert [each["ok"] for each in line.answers] == [True] * SHELVES + [False]
    assert line.answers[-1]["reason"] == "too_many"


def test_the_retained_topic_lists_the_current_shelves() -> None:
    line = warm().take([command("maintenance", sensor="paced/*", name="m", to=at(60), comment="belt")])
    listing = json.loads(line.pipeline.retained_now()["edgewarden/shelved"])
    assert listing["maintenance"][0] | {"name": "m", "active": True, "comment": "belt"} == listing["maintenance"][0]
    assert listing["sensors_quiet"] == 2


def test_commands_are_ignored_where_they_are_disabled() -> None:
    line = AnsweredLine(plain_pipeline())
    line.pipeline._follows_mqtt = False
    line.take([command("shelve", sensor="a", until="2h")._replace(receipt=1)])
    assert (line.answers, line.pipeline.counters.messages_own) == ([], 1)


def test_commands_from_the_page_are_accepted_in_any_case() -> None:
    line = AnsweredLine(plain_pipeline())
    line.pipeline._follows_mqtt = False
    line.take([command("shelve", sensor="a", until="2h")])
    assert [each["ok"] for each in line.answers] == [True]


def test_the_schema_contains_every_command() -> None:
    schema = commands_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"].keys() == WORDS.keys()
    check = jsonschema.Draft202012Validator(schema)
    check.validate({"shelve": {"sensor": "a", "until": "2h"}})
    with pytest.raises(jsonschema.ValidationError):
        check.validate({"shelve": {"sensor": "a"}})


COMMAND = st.one_of(
    st.tuples(st.just("shelve"), st.fixed_dictionaries({"sensor": st.sampled_from([*SENSORS, "paced/*", "**"]),
                                                        "until": st.sampled_from(["3s", "10s", "60s"])})),
    st.tuples(st.just("unshelve"), st.fixed_dictionaries({"sensor": st.sampled_from([*SENSORS, "paced/*", "**"])})),
    st.tuples(st.sampled_from(["acknowledge", "normal"]), st.fixed_dictionaries({"sensor": st.sampled_from(SENSORS)})),
    st.tuples(st.just("maintenance"), st.fixed_dictionaries(
        {"name": st.sampled_from("mn"), "sensor": st.sampled_from(["paced/a", "**"]),
         "from": st.sampled_from(["2s", "9s"]), "to": st.sampled_from(["12s", "30s"])})),
    st.tuples(st.just("end_maintenance"), st.fixed_dictionaries({"name": st.sampled_from("mn")})),
)  # fmt: skip
READING = st.tuples(
    st.sampled_from(SENSORS),
    st.sampled_from([0.0, 0.3, 1.0, 4.0, 20.0]),
    st.sampled_from([20.0, 20.3, 95.0, 95.0]),
)
NEWS = st.lists(st.one_of(READING, READING, READING, COMMAND), min_size=5, max_size=40)


def messages_of(news: list[Any]) -> list[Message]:
    found, now = plant(START + np.arange(-20.0, 0.0), *SENSORS), START
    for number, each in enumerate(news):
        if len(each) == 2:
            found.append(command(each[0], now, **each[1])._replace(qos=1, packet=number + 1))
        else:
            now += each[1]
            found.append(reading(each[0], round(now, 1), each[2], now))
    return found


DAILY = Window("daily", "paced/b", every="daily 22:13-22:14")  # START is 22:13:20 UTC


@pytest.mark.long
@settings(max_examples=60)
@given(NEWS, st.integers(1, 9), st.sampled_from([0.0, 5.0]))
def test_batching_changes_nothing(news: list[Any], cut: int, reorder_s: float) -> None:
    messages = messages_of(news)
    whole = AnsweredLine(pipeline(DAILY, reorder_s=reorder_s)).take(messages)
    pieces = AnsweredLine(pipeline(DAILY, reorder_s=reorder_s)).take(messages, cut)
    assert pieces.events == whole.events
    assert pieces.answers == whole.answers
    assert differing(pieces.pipeline, whole.pipeline) == []


@pytest.mark.long
@settings(max_examples=60)
@given(NEWS, st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.0, 5.0]), st.sampled_from([0.0, 6.0]))
def test_a_restart_between_any_two_steps_changes_nothing(
    news: list[Any], first: int, second: int, reorder_s: float, quiet_s: float
) -> None:
    messages = messages_of(news)
    saved_at, died_at = sorted((first % len(messages), second % len(messages)))
    whole = AnsweredLine(pipeline(DAILY, reorder_s=reorder_s)).take(messages[:saved_at], 3)
    saved, parts, events = whole.pipeline.save("", ""), len(whole.parts), len(whole.events)
    whole.take(messages[saved_at:died_at], 3)
    whole.note(whole.pipeline.tick(quiet_s))
    relived = revived(pipeline(DAILY, reorder_s=reorder_s), saved, whole.parts[parts:])
    assert relived.events == whole.events[events:]
    assert differing(relived.pipeline, whole.pipeline) == []
    again, events = AnsweredLine(relived.pipeline), len(whole.events)
    redelivered = [each._replace(redelivered=True) for each in messages[saved_at:died_at] if each.qos]
    again.take(redelivered[-1:])
    assert again.events == []
    again.take(messages[died_at:])
    whole.take(messages[died_at:])
    assert again.events == whole.events[events:]
    assert differing(again.pipeline, whole.pipeline) == []
