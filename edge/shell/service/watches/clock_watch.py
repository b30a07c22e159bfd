"""Watches the gateway's clock: whether it is set, and whether the senders of readings agree with it.

Messages with times in the future are held until `edge.core.intake.times.plausible_times` has decided whose clock is
wrong. If it is the gateway's, the service's own time is set forward, and they are read again as if they had arrived by
the right clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.core.incidents.events.event import timestamp
from edge.core.incidents.events.gaps import Gap
from edge.core.intake.times.plausible_times import IN_STEP_S, PlausibleTimes
from edge.core.intake.times.time_hints import ahead_of_arrival
from edge.core.model.notation.printable import printable, shortened
from edge.core.model.readings.messages import Message
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.shell.activity.problems import Problem
from edge.shell.service.watches.held_messages import HeldMessages
from edge.shell.system.logs import BOUNDED
from edge.shell.system.wall_clock import STEP_S, WallClock

log = logging.getLogger("edgewarden.service")

TOLD_S = 60.0
"""Minimum interval between log lines of one kind."""

LONGEST_TOPIC = 200


class Correction(NamedTuple):
    """A step of the clock, by which earlier arrival times must be shifted.

    Attributes:
        middle: Time between the old and the new one. Arrival times on the old side of it were recorded before the step.
        by: Step in seconds.
    """

    middle: float
    by: float

    def is_earlier(self, arrived: float) -> bool:
        """Whether an arrival was recorded before the step."""
        return arrived < self.middle if self.by > 0 else arrived > self.middle


class ClockWatch:
    """Decides which time it is when that is uncertain.

    Args:
        clock: The wall clock, which is corrected here.
        last_arrival: Time of the last reading stored before the start, or None.
        in_flight: Number of messages that the broker sends without an acknowledgement.
        monotonic: Seconds that never step.
    """

    def __init__(
        self, clock: WallClock, last_arrival: float | None, in_flight: int, monotonic: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._plausible = PlausibleTimes()
        self._held = HeldMessages(in_flight // 2 - 1)
        self._is_ready = False
        self._refused: Gap | None = None
        self._corrections: list[Correction] = []
        self._told_at: dict[str, float] = {}
        self._note_evidence(last_arrival)
        self._began_behind_s = self._plausible.behind_s
        self._last_step_s: float | None = None
        self._stamps = True

    def join(self, pipeline: Pipeline, report: Callable[[Gap], None], *, stamps: bool) -> None:
        """Continue with the core that reads messages from now on.

        Args:
            pipeline: The core.
            report: Tells the subscribers what is missing.
            stamps: Whether arrivals are stamped by our clock. Otherwise it decides nothing about readings.
        """
        pipeline.intake.plausible = self._plausible if stamps else None
        self._report, self._stamps = report, stamps

    def stepped(self, last_arrival: float | None) -> float:
        """Seconds by which the clock was stepped since the last call, or is behind the last known time.

        Args:
            last_arrival: Time of the last reading by the previous clock.
        """
        step = self._clock.step()
        if step:
            self._last_step_s = step
        by, self._began_behind_s = step - self._began_behind_s, 0.0
        if not self._stamps:
            return 0.0
        if by:
            self._plausible.clock_stepped()
            self._note_evidence(last_arrival)
            self._shift(by)
        return by

    def ready(self, messages: list[Message]) -> list[Message]:
        """The messages to process now: held ones that are due, then new ones."""
        messages = self._by_the_clock_of_now(messages)
        if self._is_ready or self._plausible.is_proven:
            return self._release() + messages
        if self._held.is_over(self._monotonic()):
            self._plausible.is_settled = True
            held = self._release()
            first, last = held[0].arrived, held[-1].arrived
            self._refused = Gap("readings", "clock_doubted", None, first, last)
            return held + messages
        return messages

    def hold(self, step: Step, messages: Sequence[Message]) -> Sequence[Message]:
        """Hold the messages that a step left unread; returns the others, which may be acknowledged."""
        if not step.held:
            return messages
        if not self._plausible.believed:
            topic = shortened(printable(step.held[0].topic), LONGEST_TOPIC)
            ahead = ahead_of_arrival(self._plausible.ahead_s)
            self._tell("clock_doubted", f"since readings lie ahead of it and are held; topic={topic!r} {ahead}")
        self._held.add(step.held, self._monotonic())
        left = set(map(id, step.held))
        return [each for each in messages if id(each) not in left]

    def correct(self) -> float:
        """Set the clock forward if senders have proved it to be behind; returns the seconds, or 0."""
        ahead_s, refused = self._plausible.believed, self._refused
        self._refused = None
        if ahead_s:
            self._clock.believe(ahead_s)
            self._plausible.clock_stepped()
            self._tell("clock_wrong", "since the senders of readings report a later one")
            by = self._clock.step()
            self._shift(by)
            return by
        if refused is not None:
            self._tell("clock_believed", "though readings lie ahead of it, which are refused")
            self._report(refused)
        return 0.0

    def forget(self) -> None:
        """Discard held messages, because their link no longer exists."""
        self._release()

    def as_dict(self) -> dict[str, object]:
        """The system time and the corrected time, for `health`."""
        clock = self._clock
        return {
            "own": timestamp(clock.own),
            "believed": timestamp(clock()),
            "last_step_s": None if self._last_step_s is None else round(self._last_step_s, 3),
        }

    def problems(self) -> list[Problem]:
        """The known problems of the gateway's clock."""
        clock = self._clock
        own, believed = timestamp(clock.own), timestamp(clock())
        if clock.believed_s:
            return [{"problem": "clock_wrong", "own": own, "believed": believed, "because": "senders"}]
        if clock.is_unset:
            return [{"problem": "clock_wrong", "own": own, "believed": believed, "because": "unset"}]
        if len(self._held):
            return [{"problem": "clock_doubted", "own": own, "held": len(self._held)}]
        return []

    def _note_evidence(self, last_arrival: float | None) -> None:
        """Record whether the clock is certainly wrong, and log a warning."""
        plausible = self._plausible
        plausible.is_unset = self._clock.is_unset
        behind_s = 0.0 if last_arrival is None else last_arrival - self._clock()
        plausible.behind_s = behind_s if behind_s > STEP_S else 0.0
        if plausible.is_unset:
            self._tell("clock_wrong", "since it was never set")
        elif plausible.behind_s:
            self._tell("clock_doubted", f"since readings were stored later, at {timestamp(last_arrival or 0.0)}")

    def _tell(self, event: str, reason: str) -> None:
        now = self._monotonic()
        if now - self._told_at.get(event, -TOLD_S) >= TOLD_S:
            self._told_at[event] = now
            own, believed = timestamp(self._clock.own), timestamp(self._clock())
            log.warning("%s own=%s believed=%s %s", event, own, believed, reason, extra=BOUNDED)

    def _release(self) -> list[Message]:
        self._is_ready = False
        return self._held.release()

    def _shift(self, by: float) -> None:
        """Shift all arrival times recorded before a step of `by` seconds, and read the messages again."""
        self._held.shift(by)
        self._is_ready = True
        # The middle between the old and the new time, because arrivals use the new one slightly before the step is
        # noticed.
        if abs(by) > IN_STEP_S:
            self._corrections.append(Correction(self._clock() - by / 2, by))

    def _by_the_clock_of_now(self, messages: list[Message]) -> list[Message]:
        for correction in tuple(self._corrections):
            # Nothing from before a step back is left once the new time has come close to the old one.
            is_past = correction.by < 0 and self._clock() > correction.middle + correction.by / 4
            if is_past or (messages and not correction.is_earlier(messages[-1].arrived)):
                self._corrections.remove(correction)
            messages = [
                each._replace(arrived=each.arrived + correction.by)
                if correction.is_earlier(each.arrived) and not is_past
                else each
                for each in messages
            ]
        return messages
