"""A value that the configuration declares as "no value" isn't a reading, but its sender isn't silent."""

from __future__ import annotations

import pytest

from config import parse
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack, unpack
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

START = 1_700_000_000.0
CONFIGURATION = """
[gateway]
name = "gw"
[[input]]
topic = "plain/#"
format = "number"
sensor = "{topic}"
no_value = [-127, 85]
[[input]]
topic = "#"
sensor = "{topic}/{field}"
no_value = [-127, 85]
"""


def pipeline() -> Pipeline:
    return make_pipeline(parse(CONFIGURATION).configuration)


def sent(topic: str, form: str, code: str | None, seconds: range) -> list[Message]:
    """The readings of a sensor and its healthy neighbour, one per second; nothing of the sensor if `code` is None."""
    found = []
    for second in seconds:
        value = 20 + second % 3
        told = str(value) if second < 60 else code
        if told is not None:
            found.append(Message(topic, (form % told).encode(), START + second))
        found.append(Message("other", b'{"x": %d}' % value, START + second + 0.5))
    return found


FORMS = [("plain/a", "%s"), ("a", '{"t": %s}'), ("a", '{"t": %s, "h": 40}')]


@pytest.mark.parametrize(("topic", "form"), FORMS)
@pytest.mark.parametrize("code", ["-127", pytest.param("85.0", marks=pytest.mark.long)])
def test_a_sensor_that_sends_a_code_for_no_value_is_not_silent_and_learns_nothing(
    topic: str, form: str, code: str
) -> None:
    line = pipeline()
    events = [event for each in sent(topic, form, code, range(600)) for event in line.process([each]).events]
    assert [event.kind for event in events if event.kind == "missing"] == []
    assert line.counters.balanced


@pytest.mark.parametrize(("topic", "form"), FORMS[:2])
def test_a_sensor_that_sends_nothing_is_silent(topic: str, form: str) -> None:
    line = pipeline()
    events = [event for each in sent(topic, form, None, range(600)) for event in line.process([each]).events]
    assert "missing" in [event.kind for event in events]


@pytest.mark.long
@pytest.mark.parametrize(("topic", "form"), FORMS)
def test_a_replay_includes_a_sensor_that_sent_a_code_for_no_value(topic: str, form: str) -> None:
    live, again = pipeline(), pipeline()
    for each in sent(topic, form, "85", range(300)):
        part = live.process([each]).journal
        if part is not None:
            again.replay(unpack(pack([part])))
    assert again.engine.statistics.deadline.tolist() == live.engine.statistics.deadline.tolist()


def test_a_text_that_says_that_there_is_no_value_is_counted_and_not_refused() -> None:
    made = make_pipeline(parse('[[input]]\ntopic = "#"\nno_value = ["ERR"]').configuration)
    payloads = [b'{"t": 20.5, "h": 40}', b'{"t": "ERR", "h": 41}', b'{"t": "NONE", "h": 41}']
    made.intake.read([Message("a", each, START + place) for place, each in enumerate(payloads)], [], [])
    assert (made.counters.fields_ignored, dict(made.counters.readings_refused)) == (1, {"not_a_number": 1})
