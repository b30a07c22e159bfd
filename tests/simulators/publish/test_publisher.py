from __future__ import annotations

from typing import Any

import pytest

from simulators.publish.payloads import Publication
from simulators.publish.publisher import PacedPublisher, PublishError, PublishingPace

MESSAGES = [Publication(1000.0 + 10.0 * number, f"plant/{number}", b"1", 1) for number in range(100)]


def publisher(link: Any, pace: PublishingPace, **more: Any) -> PacedPublisher:
    return PacedPublisher(link, link.clock, link.sleep, pace, **more)


def test_each_message_is_sent_at_its_time(link: Any) -> None:
    publisher(link, PublishingPace(5.0, 1000.0)).run(MESSAGES)
    assert [each[0] for each in link.sent] == pytest.approx([2.0 * number for number in range(100)], abs=0.002)


def test_plant_time_runs_from_its_origin(link: Any) -> None:
    publisher(link, PublishingPace(1.0, 990.0)).run(MESSAGES[:1])
    assert link.sent[0][0] == pytest.approx(10.0, abs=0.002)


def test_without_a_speed_nothing_waits_for_its_time(link: Any) -> None:
    link.window = 1000
    sent = publisher(link, PublishingPace(0.0, 1000.0)).run(MESSAGES)
    assert link.slept == []
    assert sent == (100, 100, 1990.0)


def test_late_messages_are_sent_immediately(link: Any) -> None:
    paced = publisher(link, PublishingPace(1.0, 1000.0))
    paced.run(MESSAGES[:1])
    link.now = 35.0
    paced.run(MESSAGES[1:5])
    assert [each[0] for each in link.sent] == pytest.approx([0.0, 35.0, 35.0, 35.0, 40.0], abs=0.002)


def test_a_full_window_makes_the_publisher_wait(link: Any) -> None:
    link.window = 3
    publisher(link, PublishingPace(0.0, 0.0)).run(MESSAGES)
    assert [each[1] for each in link.sent] == [each.topic for each in MESSAGES]
    assert link.slept


def test_patience_has_an_end(link: Any) -> None:
    link.connected = False
    with pytest.raises(PublishError, match="took nothing for 60 s"):
        publisher(link, PublishingPace(0.0, 0.0)).run(MESSAGES)
    assert link.now == pytest.approx(60.0, abs=0.2)


def test_a_dead_link_makes_nothing_wait(link: Any) -> None:
    link.connected = link.alive = False
    with pytest.raises(PublishError, match="thread"):
        publisher(link, PublishingPace(0.0, 0.0)).run(MESSAGES)
    assert link.now == 0.0


def test_the_end_waits_for_every_confirmation(link: Any) -> None:
    link.confirming = False
    paced = publisher(link, PublishingPace(0.0, 0.0, patience_s=5.0))
    paced.run(MESSAGES[:10])
    with pytest.raises(PublishError, match="confirmed nothing"):
        paced.finish()
    link.confirming = True
    paced.finish()


def test_messages_that_a_lost_connection_left_unconfirmed_are_sent_again(link: Any) -> None:
    link.confirming = False
    paced = publisher(link, PublishingPace(0.0, 0.0))
    paced.run(MESSAGES[:10])
    link.reconnect()
    paced.finish()
    assert [each[1] for each in link.sent] == [each.topic for each in MESSAGES[:10]] * 2


def test_messages_of_quality_0_are_not_waited_for_but_the_truth_is(link: Any) -> None:
    link.confirming = False
    paced = publisher(link, PublishingPace(0.0, 0.0, patience_s=1.0), qos=0)
    paced.run(MESSAGES[:3])
    paced.finish()
    paced.tell(Publication(0.0, "truth", b"{}", 0))
    assert [each[3] for each in link.sent] == [0, 0, 0, 1]
    with pytest.raises(PublishError):
        paced.finish()


def test_it_ends_when_its_time_is_up(link: Any) -> None:
    sent = publisher(link, PublishingPace(1.0, 1000.0, limit_s=95.0)).run(MESSAGES)
    assert sent.readings == 10
    assert link.now == pytest.approx(95.0, abs=0.3)


def test_a_request_to_stop_is_noticed_while_it_sleeps(link: Any) -> None:
    sent = publisher(link, PublishingPace(1.0, 1000.0), stopped=lambda: link.now > 25.0).run(MESSAGES)
    assert sent.readings == 3
    assert link.now < 26.0


def test_a_request_to_stop_takes_only_a_moment(link: Any) -> None:
    link.confirming = False
    paced = publisher(link, PublishingPace(0.0, 0.0), stopped=lambda: link.now > 0)
    paced.run(MESSAGES[:1])
    link.now = 1.0
    with pytest.raises(PublishError, match="for 5 s"):
        paced.finish()
