"""The hand-over between the service's loop and the page's thread: questions one way, answers and news the other.

The page passes a function; the loop calls it in its next turn and passes back its result, which must be a copy or
immutable. Without questions there is no cost. Events, command results and scored readings are passed on as they occur,
but only while there is a listener.

    page's thread                                loop
    ask(question)          --- questions --->    turn(): question(running)
    say(name, payload)     --- inbox ------->    the line, as for any command
    listener.events()      <-- call_soon ----    committed(events)
    listener.readings()    <-- call_soon ----    turn(), what the observer has gathered
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

from edge.core.incidents.events.event import Event
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.page.loop.observing import SensorObserver, SensorRows
from edge.shell.onlooker import Running

log = logging.getLogger("edgewarden.page")

T = TypeVar("T")

MOST_QUESTIONS = 64
"""Maximum number of questions waiting for the loop; beyond it, callers get `BusyError`."""

A_TURN = 8
"""Maximum number of questions answered in one turn of the loop."""

MOST_EXPECTED = 64
"""Maximum number of commands with a caller waiting for the result."""

ANSWER_S = 10.0
"""Timeout for the loop's answer; it may be waiting for its disk, or loading the store after a reload."""


class BusyError(Exception):
    """The loop hasn't answered in time, or too many requests are waiting; the message says which."""


class Listener(Protocol):
    """The listener for news, in the page's thread."""

    def events(self, events: Sequence[Event], open_incidents: int) -> None:
        """Events were committed; with the number of open incidents."""

    def readings(self, rows: dict[str, SensorRows]) -> None:
        """Readings of watched sensors were scored."""


class AwaitedAnswer(NamedTuple):
    """A command with a caller waiting for the answer."""

    identity: str
    answer: Future[dict[str, Any]]


class _PostedId(msgspec.Struct):
    id: str | None = None


class Handover:
    """Connects a service with its page.

    Args:
        topics: This gateway's own topics.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._running: Running | None = None
        self._questions: deque[tuple[Callable[[Running], Any], Future[Any]]] = deque()
        self._expected: dict[str, Future[dict[str, Any]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: Listener | None = None
        self._watched: frozenset[str] = frozenset()
        self._observer: SensorObserver | None = None

    # For the page's thread.

    async def ask(self, question: Callable[[Running], T]) -> T:
        """Have the service's loop answer a question.

        Raises:
            BusyError: It hasn't answered in time, or too many requests are waiting.
        """
        if len(self._questions) >= MOST_QUESTIONS:
            raise BusyError("too many pages ask at once")
        answer: Future[T] = Future()
        self._questions.append((question, answer))
        self._wake()
        return await self._wait_for(answer)

    async def say(self, name: str, identity: str, payload: bytes) -> dict[str, Any]:
        """Send a command as over MQTT; returns its result once that is committed.

        Args:
            name: Name of the command.
            identity: Its ID, which the payload also contains.
            payload: JSON.

        Raises:
            BusyError: There was no result in time. The command may still be carried out; repeated with the same ID, it
                acts once.
        """
        running = self._running
        if running is None or len(self._expected) >= MOST_EXPECTED:
            raise BusyError("the service is starting" if running is None else "too many commands wait")
        answer: Future[dict[str, Any]] = Future()
        self._expected[identity] = answer
        try:
            running.inbound.inbox.put(Message(self._topics.command(name), payload, running.clock()))
            return await self._wait_for(answer)
        finally:
            self._expected.pop(identity, None)

    def listen(self, listener: Listener | None, watched: frozenset[str] = frozenset()) -> None:
        """Notify a listener of news from now on, and of the readings of some sensors; None to stop."""
        self._loop, self._watched = asyncio.get_running_loop(), watched
        self._listener = listener
        self._wake()

    def _wake(self) -> None:
        if self._running is not None:
            self._running.inbound.wake()

    @staticmethod
    async def _wait_for(answer: Future[T]) -> T:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(answer), ANSWER_S)
        except TimeoutError:
            raise BusyError(
                f"the service hasn't answered for {ANSWER_S:g} s: it waits for its disk, or resumes"
            ) from None

    # For the service's loop.

    def follow(self, running: Running) -> None:
        """See `Onlooker`."""
        if self._observer is not None and self._running is not None:
            self._running.pipeline.observe(None)
            self._observer = None
        self._running = running
        self._observe(running)

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """See `Onlooker`."""
        if self._expected:
            for each in answers:
                identity = msgspec.json.decode(each, type=_PostedId).id
                future = self._expected.get(identity or "")
                if future is not None and future.set_running_or_notify_cancel():
                    future.set_result(msgspec.json.decode(each))
        listener, running = self._listener, self._running
        if events and listener is not None and running is not None:
            self._hand_over(listener.events, tuple(events), len(running.pipeline.open_incidents.events))

    def turn(self) -> None:
        """See `Onlooker`."""
        running = self._running
        if running is None:
            return
        for _ in range(min(A_TURN, len(self._questions))):
            question, answer = self._questions.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(question(running))
            except Exception as error:  # noqa: BLE001 - whatever a page asks for must not end the service
                answer.set_exception(error)
        if self._questions:
            running.inbound.wake()
        self._observe(running)

    def _observe(self, running: Running) -> None:
        """Attach an observer for the requested sensors, and pass on what it has collected."""
        wanted, observer = self._watched, self._observer
        if observer is None and not wanted:
            return
        if observer is None or observer.names != wanted:
            observer = self._observer = SensorObserver(wanted, running.pipeline) if wanted else None
            running.pipeline.observe(observer)
        listener = self._listener
        if observer is not None and listener is not None and (rows := observer.take()):
            self._hand_over(listener.readings, rows)

    def _hand_over(self, call: Callable[..., None], *what: Any) -> None:
        loop = self._loop
        with contextlib.suppress(RuntimeError):  # the page's loop has been closed: the service ends
            if loop is not None:
                loop.call_soon_threadsafe(call, *what)
