"""Plausible times: decides which clock is right if a reading is ahead of its arrival, the sender's or the gateway's.

A gateway without a battery-backed clock starts at 1970, or at the time of its shutdown, and correct readings appear to
lie in the future. A sender with a wrong clock or time zone looks the same, so other evidence must decide:

    the clock was never set, or is behind stored times           accept the sender; without a time zone only if no
                                                                 other sender appears while the message is held
    the lead matches a local time taken for UTC                  refuse
    a topic has agreed with the clock for `PROVEN_S`             refuse
    `AGREEING` topics have the same lead, and none agrees        accept the senders
    otherwise                                                    hold the message until one of these applies, or the
                                                                 caller gives up

Nothing here reads a clock: leads are differences between reading times and arrivals. A held message isn't acknowledged
and is read again later, so it is never journaled and doesn't affect replay.
"""

from __future__ import annotations

from enum import Enum

from edge.core.intake.decoders.base import Decoded
from edge.core.intake.decoders.notation.times import LocalTime
from edge.core.intake.times.time_hints import looks_local

IN_STEP_S = 60.0
"""Maximum lead or lag of a topic's newest reading for its clock to agree with the gateway's; also the tolerance between
agreeing leads."""

AGREEING = 3
"""Number of topics that must agree on a lead before it is accepted against a clock that appears to be set."""

PROVEN_S = 5.0
"""Time for which a topic must agree with the gateway's clock to prove it right."""

STEADY_S = 1.0
"""Maximum change of the lead during that time: times in a backlog pass quickly and agree only by chance."""

ZONE_S = 30.0
"""Tolerance around a whole number of half hours for a lead caused by a wrong time zone."""

LATEST = 4_102_444_800.0
"""Latest time accepted from a sender's clock, the beginning of 2100: later times are wrong units, not wrong clocks."""

TOPICS = 1_000
"""Maximum number of topics whose latest lead is kept; when it is exceeded, the record is cleared and rebuilt from later
messages."""


class Verdict(Enum):
    """The decision about a message."""

    READ = "read"
    """The message is read; readings in it that are ahead are refused."""

    HOLD = "hold"
    """The message is held: it can't be decided yet, or the gateway's clock must be corrected first."""


class PlausibleTimes:
    """Compares senders' clocks with the gateway's.

    Attributes:
        is_unset: Whether the gateway's clock was never set; every sender is then accepted.
        behind_s: Seconds by which the gateway's clock is behind the last stored time; else 0. A sender that is ahead by
            at least as much is accepted unless another agrees with the gateway.
        ahead_s: Lead of the last held message.
        believed: Seconds by which to set the gateway's clock forward, or 0; the caller that does so calls
            `clock_stepped()`.
        is_settled: Whether the wait is over, so that undecided messages are refused.
        is_proven: Whether a sender has confirmed the gateway's clock.
    """

    def __init__(self) -> None:
        self.is_unset, self.behind_s, self.ahead_s = False, 0.0, 0.0
        self.clock_stepped()

    def clock_stepped(self) -> None:
        """Forget all leads after a step of the gateway's clock."""
        self.believed = 0.0
        self.is_settled = self.is_proven = False
        self._leads: dict[int, float] = {}
        self._in_step: dict[int, tuple[float, float]] = {}

    def weigh(self, topic: int, decoded: Decoded, arrived: float, future_s: float) -> Verdict:
        """Decide about a message while the gateway's clock isn't proven right.

        Args:
            topic: A number that identifies its topic.
            decoded: Its contents.
            arrived: Arrival time by the gateway's clock.
            future_s: Maximum time by which a reading may be ahead of its arrival.
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
        """Record a topic that isn't ahead, and whether it has agreed with the gateway's clock for long enough."""
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
