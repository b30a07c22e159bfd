from __future__ import annotations

import json
from typing import get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.incidents.events.gaps import WORDS, Gap, Reason, gap_event, gap_json_schema, gap_sentence
from tests.edge.core.pipelines import START, Line, pipeline, reading

TIMES = st.none() | st.floats(0.0, 4e9)
COUNTS = st.none() | st.integers(0, 10**12)
SEVERITIES = st.dictionaries(st.sampled_from(["INFO", "WARN", "ERROR", "FATAL"]), st.integers(1, 10**6))
WHAT, REASONS = st.sampled_from(["events", "readings"]), st.sampled_from(list(WORDS))
GAPS = st.builds(Gap, WHAT, REASONS, COUNTS, TIMES, TIMES, SEVERITIES, st.text())
SPAN = "from 2023-11-14T22:13:20.000Z to 2023-11-14T22:14:20.500Z"


@given(GAPS, st.integers(1, 10**15), st.floats(0.0, 4e9))
def test_every_gap_is_an_event_that_matches_the_published_schema(gap: Gap, sequence: int, now: float) -> None:
    event = gap_event("gw-17", "edgewarden/gap", gap, sequence, now)
    payload = json.loads(event.payload)
    jsonschema.Draft202012Validator(gap_json_schema()).validate(payload)
    assert payload["id"] == event.id
    assert payload["sequence"] == f"{sequence:020d}"
    assert (payload["data"]["count"], payload["data"]["message"]) == (gap.number, event.message)


def test_the_schema_itself_is_valid_and_refuses_a_changed_event() -> None:
    schema = gap_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    payload = json.loads(gap_event("gw", "t", Gap("events", "free_disk"), 1, START).payload)
    payload["data"]["reason"] = "elsewhere"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload, schema)


def test_every_reason_has_a_description() -> None:
    assert WORDS.keys() == set(get_args(Reason))


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (
            Gap("events", "outbox_events", 1234, START, START + 60.5, {"ERROR": 1200, "FATAL": 34}),
            f"1,234 events (1,200 ERROR, 34 FATAL) are missing {SPAN}: {WORDS['outbox_events']}",
        ),
        (Gap("events", "outbox_days", 1), "1 event is missing: they had waited for longer than store.outbox_days"),
        (
            Gap("readings", "session_lost", None, None, START),
            "An unknown number of readings are missing: the broker had forgotten our session",
        ),
        (
            Gap("readings", "store_damaged", 2, START, None, {}, "3 pages"),
            "2 readings are missing: the store's file was damaged; 3 pages",
        ),
    ],
)
def test_the_sentence_gives_what_how_many_when_and_why(gap: Gap, said: str) -> None:
    assert gap_sentence(gap) == said


@given(GAPS, GAPS)
def test_two_joined_gaps_add_up(one: Gap, other: Gap) -> None:
    both = one.joined(other)
    assert (both.what, both.reason) == (one.what, one.reason)
    if one.number is None or other.number is None:
        assert both.number is None
    else:
        assert both.number == one.number + other.number
    assert {name: both.severities[name] for name in both.severities} == {
        name: one.severities.get(name, 0) + other.severities.get(name, 0)
        for name in one.severities.keys() | other.severities.keys()
    }
    for each in (one, other):
        assert each.first is None or both.first <= each.first
        assert each.last is None or both.last >= each.last
    assert both.first in {one.first, other.first}
    assert both.last in {one.last, other.last}


@given(st.lists(GAPS, min_size=2, max_size=5))
def test_joining_leaves_the_original_gaps_unchanged(gaps: list[Gap]) -> None:
    before = [each._replace(severities=dict(each.severities)) for each in gaps]
    joined = gaps[0]
    for each in gaps[1:]:
        joined = joined.joined(each)
    assert gaps == before


def test_a_gap_is_numbered_like_other_events() -> None:
    line = Line(pipeline())
    line.note(line.pipeline.gap(Gap("readings", "receive_limit", 3, START, START + 2.0), START + 2.0))
    line.take([reading("paced/a", START, 95.0)])
    assert [(each.sequence, each.transition) for each in line.events] == [(1, "gap"), (2, "raised")]
    assert line.events[0].topic == "edgewarden/gap"
