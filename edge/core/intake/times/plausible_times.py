"""Plausible times: whose clock to believe where a reading lies ahead of its arrival, the sender's or our own.

A gateway without a battery-backed clock starts at 1970, or where it was shut down. Right readings then seem to lie in
the future. A sender with a wrong clock or a wrong zone looks just the same, so other evidence has to tell:

    our clock was never set, or is behind what was stored before     believe the sender; if its times say no zone, only
                                                                     if no other comes while it is held
    the lead is that of local time taken for UTC                     refuse
    a topic has stayed in step with our clock for `PROVEN_S`         refuse
    `AGREEING` topics have the same lead, and none is in step        believe the senders
    none of these                                                    hold the message until one of them is, or for
                                                                     as long as whoever holds it likes

Nothing here reads a clock: leads are differences between the times of readings and their arrivals. What is held isn't
acknowledged and is read again later, so the journal knows nothing of it, and a replay is not concerned.
"""

from __future__ import annotations

from enum import Enum

from edge.core.intake.decoders.base import Decoded
from edge.core.intake.decoders.documents.times import LocalTime
from edge.core.intake.times.time_hints import looks_local

IN_STEP_S = 60.0
"""A topic is in step with our clock if its newest reading is so near to its arrival; such leads agree, too."""

AGREEING = 3
"""So many topics must agree on a lead before they are believed rather than a clock that seems to be set."""

PROVEN_S = 5.0
"""A topic that is in step for so long proves our clock."""

STEADY_S = 1.0
"""But only if its lead has changed by less: times of a backlog pass by quickly, and are in step by chance."""

ZONE_S = 30.0
"""A sender whose zone is wrong is off by a whole number of half hours, but for the error of its clock."""

LATEST = 4_102_444_800.0
"""No clock is believed that says a later time, the beginning of 2100: it is a fault of a unit, not of a clock."""

TOPICS = 1_000
"""Of so many topics the latest lead is remembered; then all are forgotten and come back with their next messages."""


class Verdict(Enum):
    """The decision about a message."""

    READ = "read"
    """It is read; readings in it that lie ahead are refused."""

    HOLD = "hold"
    """It can't be decided yet, or our clock is to be corrected before."""


class PlausibleTimes:
    """Weighs the clocks of senders against our own.

    Attributes:
        is_unset: Whether our clock was never set: every sender is believed.
        behind_s: By how many seconds our clock is behind what was known before; 0 if it isn't. A sender that is ahead
            by at least as much is believed unless one is in step.
        ahead_s: How far the last held message is ahead.
        believed: By how many seconds our clock is to be set forward, or 0; whoever does it calls `clock_stepped()`.
        is_settled: Whether waiting is over: what is still undecided is refused.
        is_proven: Whether a sender has shown that our clock is right.
    """

    def __init__(self) -> None:
        self.is_unset, self.behind_s, self.ahead_s = False, 0.0, 0.0
        self.clock_stepped()

    def clock_stepped(self) -> None:
        """Forget what was seen: our clock is another one now."""
        self.believed = 0.0
        self.is_settled = self.is_proven = False
        self._leads: dict[int, float] = {}
        self._in_step: dict[int, tuple[float, float]] = {}

    def weigh(self, topic: int, decoded: Decoded, arrived: float, future_s: float) -> Verdict:
        """The decision about a message while our clock isn't proven right.

        Args:
            topic: A number of its topic.
            decoded: What is in it.
            arrived: Time of arrival by our clock.
            future_s: How far a reading may be ahead of its arrival.
        """
        newest = decoded.newest_time()
        if newest is None:
            return Verdict.READ
        lead = newest - arrived
        if lead > future_s:
            return self._weigh_lead(topic, lead, newest)
        self._leads.pop(topic, None)
        self._note(topic, lead, arrived)
        return Verdict.READ

    def _weigh_lead(self, topic: int, lead: float, newest: float) -> Verdict:
        if newest > LATEST:
            return Verdict.READ
        self._in_step.pop(topic, None)
        self.ahead_s = lead
        is_local = isinstance(newest, LocalTime)
        if self.is_unset or (0.0 < self.behind_s <= lead + IN_STEP_S and not self._in_step):
            if self.is_settled or not is_local:
                self.believed = max(self.believed, lead)
            return Verdict.HOLD
        if is_local and looks_local(lead, ZONE_S):
            return Verdict.READ
        if len(self._leads) >= TOPICS:
            self._leads.clear()
        self._leads[topic] = lead
        agreeing = sum(abs(each - lead) <= IN_STEP_S for each in self._leads.values())
        is_majority = not self._in_step or (self.is_settled and agreeing > len(self._in_step))
        if agreeing >= AGREEING and is_majority:
            self.believed, self.behind_s = max(self.believed, lead), IN_STEP_S
            return Verdict.HOLD
        return Verdict.READ if self.is_settled else Verdict.HOLD

    def _note(self, topic: int, lead: float, arrived: float) -> None:
        """Note that a topic isn't ahead; it may be in step, and may have been for long enough."""
        if abs(lead) > IN_STEP_S:
            self._in_step.pop(topic, None)
            return
        if len(self._in_step) >= TOPICS:
            self._in_step.clear()
        first_lead, since = self._in_step.setdefault(topic, (lead, arrived))
        if abs(lead - first_lead) > STEADY_S:
            self._in_step[topic] = (lead, arrived)
        elif arrived - since >= PROVEN_S and not self.is_unset:
            self.is_proven = True
