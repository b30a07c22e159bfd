"""Lost, duplicated and changed events are noticed; the faults themselves are run by `make verify` and `make faults`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from plant import single
from rig import RULES
from running import configuration
from verdict import Outcome, compare, offline


def test_a_reading_that_is_learned_twice_or_not_at_all_would_be_noticed(tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(configuration(1883) + RULES)
    readings = [reading for each in islice(single(7), 6000) for reading in each.readings]
    truth = offline(path, readings)
    outcome = Outcome(1)
    compare(offline(path, [*readings[:2000], *readings[2001:]]), list(truth.values()), outcome)
    assert not outcome.kept
    twice = readings[2000]._replace(time=readings[2000].time + 0.25)
    outcome = Outcome(1)
    compare(offline(path, [*readings[:2001], twice, *readings[2001:]]), list(truth.values()), outcome)
    assert not outcome.kept


def test_lost_doubled_and_changed_events_are_distinguished(tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(configuration(1883) + RULES)
    truth = offline(path, [reading for each in islice(single(7), 3000) for reading in each.readings])
    events = list(truth.values())
    assert len(events) > 50
    for heard, wanted in (
        (events, (0, 0, 0)),
        (events[1:], (1, 0, 0)),
        ([*events, events[-1]], (0, 0, 1)),
        ([*events, events[-1]._replace(substance=b"other")], (0, 1, 0)),
        ([*events, events[-1]._replace(id="nobody's", sequence=10**6)], (0, 1, 0)),
    ):
        outcome = Outcome(1)
        compare(truth, heard, outcome)
        assert (outcome.lost, outcome.doubled, outcome.again) == wanted
