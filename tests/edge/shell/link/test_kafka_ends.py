"""Whether a partition is known to be at its end, in particular after a connection was lost."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

pytest.importorskip("confluent_kafka")

from confluent_kafka import KafkaError, KafkaException

from edge.shell.link.kafka import consuming
from edge.shell.link.kafka.cluster import Cluster, GroupOptions
from edge.shell.link.kafka.consuming import GroupMember

PLACE = ("plant", 1)


class StubbornClient:
    """A client whose reports are set by the test, because their order after a restart can't be made for real."""

    high: ClassVar[int] = 10
    cached: ClassVar[int] = 10
    is_reachable: ClassVar[bool] = True

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def subscribe(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def get_watermark_offsets(self, _: Any, timeout: float = 0.0, *, cached: bool = False) -> tuple[int, int]:
        del timeout
        if not cached and not self.is_reachable:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return 0, self.cached if cached else self.high


@pytest.fixture
def member(monkeypatch: pytest.MonkeyPatch) -> GroupMember:
    monkeypatch.setattr(consuming, "Consumer", StubbornClient)
    for name in ("high", "cached"):
        monkeypatch.setattr(StubbornClient, name, 10)
    monkeypatch.setattr(StubbornClient, "is_reachable", True)
    made = GroupMember(GroupOptions(Cluster(("127.0.0.1:1",)), "group", "member"), ["plant"], Any)  # type: ignore[arg-type]
    made.is_up = True
    return made


def lose_connection(member: GroupMember) -> None:
    member._note_error(KafkaError(KafkaError._TRANSPORT))


def test_the_last_report_counts_while_the_connection_lasts(member: GroupMember) -> None:
    assert member.ends_at(PLACE, 10)
    StubbornClient.high = 20
    assert member.ends_at(PLACE, 10)
    assert not member.ends_at(PLACE, 9)


def test_after_a_lost_connection_the_broker_is_asked(member: GroupMember) -> None:
    StubbornClient.high = 20
    lose_connection(member)
    assert not member.ends_at(PLACE, 10)
    StubbornClient.cached = 20
    assert member.ends_at(PLACE, 20)
    StubbornClient.high = 30
    assert member.ends_at(PLACE, 20)  # asked once for each loss


def test_nothing_is_at_its_end_while_no_broker_answers(member: GroupMember) -> None:
    lose_connection(member)
    member.is_up = False
    assert not member.ends_at(PLACE, 10)
    member.is_up, StubbornClient.is_reachable = True, False
    assert not member.ends_at(PLACE, 10)
    StubbornClient.is_reachable = True
    assert member.ends_at(PLACE, 10)


def test_markers_of_transactions_at_the_end_are_nothing_to_wait_for(member: GroupMember) -> None:
    StubbornClient.high = StubbornClient.cached = 12
    member._ended[PLACE] = 12
    lose_connection(member)
    assert member.ends_at(PLACE, 10)
    StubbornClient.high = 13
    lose_connection(member)
    assert not member.ends_at(PLACE, 10)
