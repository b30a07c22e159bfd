from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from edge.core.model.notation.topics import Topics
from edge.page.loop import handover as module
from edge.page.loop.handover import MOST_QUESTIONS, BusyError, Handover
from edge.shell.link.receiving.receive_queue import ReceiveQueue


class FakeLink:
    def __init__(self) -> None:
        self.inbox = ReceiveQueue(100, 10_000)
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class FakeRunning:
    """The parts of a service's configuration that the hand-over reads itself."""

    def __init__(self) -> None:
        self.inbound, self.clock = FakeLink(), lambda: 1_700_000_000.0
        self.pipeline: Any = None


@pytest.fixture
def running() -> FakeRunning:
    return FakeRunning()


@pytest.fixture
def handover(running: FakeRunning) -> Handover:
    made = Handover(Topics("edgewarden/gw"))
    made.follow(running)  # type: ignore[arg-type]
    return made


def beside(turn: Callable[[], None], asking: Coroutine[Any, Any, Any]) -> Any:
    """The answers to questions from an event loop, while a service's loop runs in another thread."""
    ended = threading.Event()

    def loop() -> None:
        while not ended.wait(0.002):
            turn()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        return asyncio.run(asking)
    finally:
        ended.set()
        thread.join()


def test_a_question_is_answered_in_the_thread_of_the_loop(handover: Handover, running: FakeRunning) -> None:
    found = beside(handover.turn, handover.ask(lambda seen: (seen is running, threading.current_thread().name)))
    assert found[0]
    assert found[1] != threading.main_thread().name
    assert running.inbound.woken == 1


def test_a_question_that_fails_ends_only_itself(handover: Handover) -> None:
    def fails(_: object) -> None:
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        beside(handover.turn, handover.ask(fails))
    assert beside(handover.turn, handover.ask(lambda _: 1)) == 1


def test_a_loop_that_does_not_turn_is_reported_after_some_time(
    handover: Handover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.01)
    with pytest.raises(BusyError, match="hasn't answered"):
        asyncio.run(handover.ask(lambda _: 1))


def test_the_number_of_waiting_questions_is_limited(handover: Handover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.01)

    async def ask_all() -> list[Any]:
        asked = [handover.ask(lambda _: 1) for _ in range(MOST_QUESTIONS + 1)]
        return await asyncio.gather(*asked, return_exceptions=True)

    assert "too many pages" in str(asyncio.run(ask_all())[-1])


def test_a_command_is_in_the_message_queue_and_its_answer_finds_the_sender(
    handover: Handover, running: FakeRunning
) -> None:
    seen: list[Any] = []

    def turn() -> None:
        for each in running.inbound.inbox.take(0, 10, 10_000):
            seen.append(each)
            handover.committed((), [json.dumps({"id": "other", "ok": False}).encode(), b'{"id":"x","ok":true}'])

    assert beside(turn, handover.say("shelve", "x", b"{}")) == {"id": "x", "ok": True}
    assert [(each.topic, each.payload, each.receipt) for each in seen] == [("edgewarden/gw/command/shelve", b"{}", 0)]


def test_before_the_service_runs_commands_are_refused() -> None:
    with pytest.raises(BusyError, match="starting"):
        asyncio.run(Handover(Topics("edgewarden/gw")).say("shelve", "x", b"{}"))
