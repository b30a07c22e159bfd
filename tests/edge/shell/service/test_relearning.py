"""How much of the journal is relearned, with the test's own clock."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from long_journal import journal_entries
from model_store import ModelStore

from edge.core.persistence.journal import Part, Readings, unpack
from edge.shell.service.state.relearning import BUDGET_S, FEW, RELEARNED, RelearningPlan
from edge.shell.store import StoreLimits


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Learner:
    """Learns at its own pace; records what it learned from."""

    def __init__(self, clock: Clock, seconds_each: float) -> None:
        self.clock = clock
        self.seconds_each = seconds_each
        self.learned: list[list[float]] = []

    def __call__(self, past: Iterable[Part]) -> int:
        times: list[float] = []
        for part in past:
            assert isinstance(part, Readings)
            self.clock.now += self.seconds_each * len(part)
            times += part.batch.times.tolist()
        self.learned.append(times)
        return len(times)


def store_of(readings: int) -> ModelStore:
    store = ModelStore(StoreLimits())
    for entry in journal_entries(readings):
        store.append([], [], entry)
    store.remember(b"", "", 0.0)
    return store


def parts_of(entries: Iterable[bytes]) -> Iterable[Part]:
    return (part for entry in entries for part in unpack(entry))


def relearning(store: ModelStore, clock: Clock, working: object = lambda: None) -> RelearningPlan:
    return RelearningPlan(lambda: store.past(newest_first=True), parts_of, working, monotonic=clock)  # type: ignore[arg-type]


def test_a_short_journal_is_relearned_at_once_however_long_that_takes() -> None:
    clock = Clock()
    learner = Learner(clock, 60.0)
    assert relearning(store_of(1000), clock).teach(learner) == 1000
    assert len(learner.learned) == 1


def test_if_there_is_time_the_whole_journal_is_relearned() -> None:
    clock = Clock()
    learner = Learner(clock, 1e-5)
    assert relearning(store_of(3 * FEW), clock).teach(learner) == 3 * FEW
    assert learner.learned[-1] == sorted(learner.learned[-1])


def test_a_slow_machine_relearns_the_newest_readings_within_its_time() -> None:
    clock = Clock()
    learner = Learner(clock, BUDGET_S / (4 * FEW))
    learned = relearning(store_of(6 * FEW), clock).teach(learner)
    assert 2.8 * FEW < learned <= 3.2 * FEW
    assert clock.now <= 1.05 * BUDGET_S
    newest = learner.learned[0][-1]
    assert learner.learned[-1][-1] == newest
    assert len(learner.learned[-1]) == learned


def test_a_machine_that_becomes_slow_uses_what_it_relearned_first() -> None:
    clock = Clock()
    learner = Learner(clock, BUDGET_S / (4 * FEW))

    def learn(past: Iterable[Part]) -> int:
        learned = learner(past)
        learner.seconds_each *= 20
        return learned

    assert relearning(store_of(6 * FEW), clock).teach(learn) == FEW
    assert len(learner.learned) == 1
    assert clock.now < 2.5 * BUDGET_S


def test_a_fast_machine_relearns_a_limited_number_of_readings() -> None:
    clock = Clock()
    learner = Learner(clock, 1e-9)
    learned = relearning(store_of(RELEARNED + 5000), clock).teach(learner)
    assert RELEARNED <= learned < RELEARNED + 1000


def test_a_request_to_stop_is_noticed_in_the_middle() -> None:
    calls = 0

    def working() -> None:
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyboardInterrupt

    clock = Clock()
    learner = Learner(clock, 1e-5)
    with pytest.raises(KeyboardInterrupt):
        relearning(store_of(FEW), clock, working).teach(learner)
    assert learner.learned == []
