from __future__ import annotations

import numpy as np
import pytest
from model_store import ModelStore

from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Batch, Message
from edge.core.persistence.journal import Readings
from edge.core.persistence.steps.step import Step
from edge.shell.service.turns.commit_group import MOST_READINGS, SOON_S, CommitGroup
from edge.shell.store import StoreLimits

EVENT = Event(1, "id", "s", "t", 0.0, "i", "raised", "spike", 300, "", b"{}")


def readings(count: int) -> Readings:
    zeros = np.zeros(count)
    return Readings(Batch(zeros.astype(np.intp), zeros, zeros, zeros.astype(np.intp)))


def messages(count: int, qos: int = 1) -> list[Message]:
    return [Message("t", b"1", 0.0, qos=qos)] * count


@pytest.fixture
def group() -> CommitGroup:
    return CommitGroup(seconds=2.0, in_flight=20)


def test_an_empty_group_is_never_due(group: CommitGroup) -> None:
    group.add(Step(), (), 0.0)
    assert group.wait_s(100.0) is None
    assert not group.is_due(100.0)


def test_readings_wait_for_each_other_for_some_time(group: CommitGroup) -> None:
    group.add(Step(journal=readings(1)), messages(1), 10.0)
    group.add(Step(journal=readings(1)), messages(1), 11.5)
    assert group.wait_s(11.5) == 0.5
    assert group.is_due(12.0)


def test_a_group_that_is_due_soon_does_not_wake_the_loop_again(group: CommitGroup) -> None:
    group.add(Step(journal=readings(1)), messages(1), 10.0)
    group.add(Step(journal=readings(1)), messages(1), 11.9)
    assert not group.is_due(12.0 - 1.5 * SOON_S)
    assert group.is_due(12.0 - 0.5 * SOON_S)


def test_an_event_does_not_wait(group: CommitGroup) -> None:
    group.add(Step(journal=readings(1)), messages(1), 0.0)
    group.add(Step(events=[EVENT], journal=readings(1)), messages(1), 0.0)
    assert group.is_due(0.0)


def test_the_events_of_a_group_need_not_be_read_again_unless_the_store_knew_one(group: CommitGroup) -> None:
    store = ModelStore(StoreLimits())
    group.add(Step(events=[EVENT]), (), 0.0)
    assert group.store_in(store, {}, 0.0) == store.pending(0, 9)
    group.add(Step(events=[EVENT._replace(sequence=2, id="other")]), (), 0.0)
    assert group.store_in(store, {}, 0.0) == []


def test_a_group_is_due_when_most_of_the_in_flight_window_waits_for_it(group: CommitGroup) -> None:
    group.add(Step(journal=readings(14)), messages(14), 0.0)
    assert not group.is_due(0.0)
    group.add(Step(), messages(1), 0.0)
    assert group.is_due(0.0)


def test_messages_that_need_no_acknowledgement_do_not_fill_the_window(group: CommitGroup) -> None:
    group.add(Step(journal=readings(100)), messages(100, qos=0), 0.0)
    assert not group.is_due(0.0)


def test_a_group_is_bounded(group: CommitGroup) -> None:
    group.add(Step(journal=readings(MOST_READINGS)), messages(1, qos=0), 0.0)
    assert group.is_due(0.0)


def test_messages_without_content_are_acknowledged_in_time(group: CommitGroup) -> None:
    group.add(Step(), messages(1), 0.0)
    assert not group.has_content
    assert group.is_due(2.0)


def test_an_event_that_is_replaced_before_it_is_stored_is_not_published(group: CommitGroup) -> None:
    group.add(Step(events=[EVENT]), (), 0.0)
    group.replace([1])
    group.add(Step(events=[EVENT._replace(sequence=2)]), (), 0.0)
    assert [each.sequence for each in group.events] == [2]


def test_after_the_commit_it_starts_again(group: CommitGroup) -> None:
    group.add(Step(events=[EVENT], journal=readings(1), retained={"t": b""}), messages(1), 0.0)
    group.replace([7])
    group.committed(0.0)
    assert not group.has_content
    assert group.wait_s(0.0) is None
    assert group.messages == []
    assert group.retained == {}
    assert group.replaced == []
