"""State about Sparkplug nodes: across restarts, in any batches, and for any messages."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from sparkplug_node import AT, EdgeNode, metric, payload

from config.loading import parse
from detectors.state import StateError
from edge.core.intake.sparkplug.session import Session
from edge.core.intake.times.plausible_times import PlausibleTimes
from edge.core.model.readings.messages import REASONS, DeadLetter, Message
from edge.core.persistence import journal
from edge.core.persistence.snapshot import Snapshot
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

CONFIGURATION = """
[[input]]
convention = "sparkplug"
"""


def made() -> Pipeline:
    return make_pipeline(parse(CONFIGURATION).configuration)


def day() -> list[Message]:
    """The messages of two nodes: births, data, a gap, a rebirth and deaths."""
    one, two = EdgeNode("line1"), EdgeNode("line2")
    two.now += 0.5
    sent = []
    for node in (one, two):
        sent += [
            node.nbirth(metric(1, name="x", alias=1, unit="m"), metric(1, name="y")),
            node.message("DBIRTH", metric(1, name="flow", alias=2), device="a"),
            node.message("DBIRTH", metric(1, name="flow", alias=3), device="b"),
        ]
        for each in range(4):
            sent.append(node.message("NDATA", metric(each, None, alias=1)))
            sent.append(node.message("DDATA", metric(each, None, alias=2), device="a"))
        node.lose()
        sent.append(node.message("NDATA", metric(9, None, alias=1)))
        sent.append(node.message("DDEATH", device="b"))
    sent.append(two.ndeath())
    sent.append(one.message("NDATA", metric(7, None, alias=1)))
    return sorted(sent, key=lambda each: each.arrived)


def taken(pipeline: Pipeline, messages: list[Message]) -> list[Step]:
    return [step for step, _ in pipeline.steps(messages)]


def parts_of(steps: list[Step]) -> list[journal.Part]:
    return journal.unpack(journal.pack([each.journal for each in steps if each.journal is not None]))


def test_replaying_a_journal_gives_the_same_births() -> None:
    live, again = made(), made()
    again.replay(parts_of(taken(live, day())))
    assert again.sparkplug.state() == live.sparkplug.state() != Session().state()
    assert again.sparkplug.nodes.take_changes() == []


@pytest.mark.parametrize("until", range(0, 28, 3))
def test_a_restart_anywhere_changes_no_reading(until: int) -> None:
    sent = day()
    whole, before, after = made(), made(), made()
    taken(before, sent[:until])
    after.restore(Snapshot.from_bytes(before.save("d", "i")), "i")
    events = [event for step in taken(after, sent[until:]) for event in step.events]
    expected = [event for step in taken(whole, sent) for event in step.events if event.time >= sent[until].arrived]
    assert [(each.sensor, each.transition, each.time) for each in events] == [
        (each.sensor, each.transition, each.time) for each in expected
    ]
    assert after.sparkplug.state() == whole.sparkplug.state()
    assert after.counters.messages_refused == {}


@pytest.mark.long
@seed(1)
@settings(max_examples=40, database=None)
@given(cuts=st.sets(st.integers(1, 28)))
def test_batching_of_messages_changes_nothing(cuts: set[int]) -> None:
    sent, whole, cut = day(), made(), made()
    taken(whole, sent)
    parts: list[journal.Part] = []
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(sent)], strict=True):
        parts += parts_of(taken(cut, sent[first:last]))
    assert cut.sparkplug.state() == whole.sparkplug.state()
    assert cut.counters.as_dict() == whole.counters.as_dict()
    again = made()
    again.replay(parts)
    assert again.sparkplug.state() == whole.sparkplug.state()


def test_the_death_of_a_node_is_one_incident_that_ends_with_its_birth() -> None:
    pipeline, node = made(), EdgeNode()
    steps = taken(
        pipeline,
        [
            node.nbirth(metric(1, name="x")),
            node.message("DBIRTH", metric(1, name="y"), device="a"),
            node.ndeath(),
            node.nbirth(metric(1, name="x")),
        ],
    )
    events = [(each.sensor, each.transition, each.kind) for step in steps for each in step.events]
    assert events == [("plant1/line1/", "raised", "missing"), ("plant1/line1/", "cleared", "missing")]


def test_after_a_restart_the_next_message_requests_what_was_missing_before() -> None:
    before, after, node = made(), made(), EdgeNode()
    taken(before, [node.nbirth(metric(1, name="x", alias=1))])
    node.lose()
    taken(before, [node.message("NDATA", metric(1, None, alias=1))])
    after.restore(Snapshot.from_bytes(before.save("d", "i")), "i")
    node.now += 5.0
    (step,) = taken(after, [node.message("NDATA", metric(1, None, alias=1))])
    assert [each.topic for each in step.requests] == ["spBv1.0/plant1/NCMD/line1"]


def test_a_message_with_a_postponed_time_is_read_as_if_it_arrived_once() -> None:
    pipeline, node = made(), EdgeNode()
    birth = node.nbirth(metric(1, name="x", alias=1))
    taken(pipeline, [birth])
    node.lose(200)
    ahead = node.message("NDATA", metric(2, None, alias=1))
    before = pipeline.sparkplug.state()
    pipeline.intake.plausible = PlausibleTimes()
    pipeline.intake.plausible.is_unset = True
    (step,) = taken(pipeline, [ahead._replace(arrived=1000.0), Message("other", b"1", 1000.0)])
    assert [each.payload for each in step.held] == [ahead.payload]
    assert pipeline.sparkplug.state() == before
    pipeline.intake.plausible = None
    taken(pipeline, [ahead])
    assert pipeline.sparkplug.state() != before
    assert pipeline.counters.balanced


@pytest.mark.parametrize("state", [b"", b"\xc1", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({"a": 1})])
def test_an_unreadable_state_is_reported(state: bytes) -> None:
    with pytest.raises(StateError):
        Session().load(state)


METRICS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["x", "y", "a/x", "", "bdSeq", "n" * 300, "\x1e", " "]),
        "alias": st.sampled_from([0, 1, 2, 2**64 - 1]),
        "datatype": st.integers(0, 40),
        "timestamp": st.sampled_from([0, int(AT * 1000), 2**64 - 1]),
        "double_value": st.sampled_from([1.0, float("inf")]),
        "is_null": st.booleans(),
        "is_historical": st.booleans(),
    },
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda metrics, rest: payload(metrics, **rest),
        st.lists(METRICS, max_size=4),
        st.fixed_dictionaries({}, optional={"seq": st.integers(0, 300), "timestamp": st.just(int(AT * 1000))}),
    ),
)
MESSAGES = st.builds(
    lambda kind, device, sent, wait: (f"spBv1.0/g/{kind}/n{device}", sent, wait),
    st.sampled_from(["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH", "NCMD", "x"]),
    st.sampled_from(["", "/d", "/e", "/"]),
    PAYLOADS,
    st.sampled_from([0.0, 1.0, 10.0]),
)


@pytest.mark.long
@seed(2)
@settings(max_examples=300, database=None)
@given(sent=st.lists(MESSAGES, max_size=12))
def test_any_messages_of_nodes_are_accounted_for_and_remembered_exactly(sent: list[tuple[str, bytes, float]]) -> None:
    live, again = made(), made()
    now, letters, parts = AT, list[DeadLetter](), list[journal.Part]()
    for topic, each, wait in sent:
        now += wait
        step = live.process([Message(topic, each, now)])
        letters += step.dead_letters
        if step.journal is not None:
            parts.append(step.journal)
        live.tick(0.5)
    assert live.counters.balanced
    assert {each.refusal.reason for each in letters} <= REASONS.keys()
    parts.append(journal.Readings(journal.Batch(), births=live.sparkplug.nodes.take_changes()))
    again.replay(journal.unpack(journal.pack(parts)))
    assert again.sparkplug.state() == live.sparkplug.state()
    assert again.sparkplug.nodes.size == live.sparkplug.nodes.size
    loaded = Session()
    loaded.load(live.sparkplug.state())
    assert loaded.state() == live.sparkplug.state()
