"""The state machine of incidents: combines surprising readings into one open incident per sensor.

An incident is raised when a score reaches the sensor's raising level, and cleared when several consecutive readings
stay below a lower one (hysteresis). Detectors that agree are its evidence, not incidents of their own. Silence raises
one too, by time instead of by readings. While an incident is open nothing is learned, so it can't become normal by
itself. A smoothing detector stays surprised long after its sensor has returned; its scores for readings within its own
band don't keep an incident open, and until it has settled only a reading beyond the band raises another one. An
incident that lasts too long ends and its level is adopted: it is learned in addition to what was known, and nothing is
raised until readings are as calm as for clearing an incident, or far beyond all that was usual or is being adopted.

The state table (`state_table.py`) defines the behaviour for learned conditions. Operator-defined limits are
handled separately (`limit_conditions.py`): in any state their conditions join the sensor's incident, or begin one,
and leave it; the incident ends when neither they nor the table hold it open. While one is active, nothing is adopted.
Error values work the same way: they join the incident with the first one, and leave it with the next real value. So
does a deviation from peers, until the sensor agrees with them.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from config.schema import IncidentSettings
from edge.core.incidents.incident import Incident
from edge.core.incidents.lasting.course import SLOW_S, STEADY_S
from edge.core.incidents.lasting.patience import KNOWN_S, patience
from edge.core.incidents.state_table import AWAY, CALM, NO_NEWS, OF_PEERS, TABLE, Action, MachineInput, State
from edge.core.scoring.consequence import UNKNOWN, Yardstick
from edge.core.scoring.limit_conditions import hold_against_limits
from edge.core.scoring.opinions import Observation

AT_WORK = frozenset({"value", "stay"})
"""Conditions of a machine's state that are about the value that it has at work."""

FAR = 1 / 4
"""While a level is being adopted, a value is news that is beyond it and the usual range by this share of both."""

LONGEST_REST_S = 7 * 86_400.0
"""A machine that has been at rest for this long isn't awaited any more."""


class Transition(Enum):
    """The transition reported by an event; the words of the event schema."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    EXPIRED = "expired"


ENDS = frozenset({Transition.CLEARED, Transition.EXPIRED})
"""Transitions after which an incident is over."""


@dataclass(slots=True)
class StateMachine:
    """The state machine of one sensor.

    Attributes:
        state: Current state.
        incident: Its open incident, or None.
        calm: Number of consecutive calm readings.
        since: When the incident was raised, or adoption of its level began; postponed by maintenance and broken limits.
        runs: Number of consecutive readings that have broken each limit without an active condition, by key.
        calm_s: Minimum time since the last exceeding reading for the incident to be cleared, in seconds; beyond 0 if
            it comes and goes.
        lowest: The lowest value that is no news while a level is being adopted.
        highest: The highest one.
    """

    state: State = State.NORMAL
    incident: Incident | None = None
    calm: int = 0
    since: float = 0.0
    runs: dict[str, int] = field(default_factory=dict)
    calm_s: float = 0.0
    lowest: float = -math.inf
    highest: float = math.inf

    def __post_init__(self) -> None:
        if self.incident is not None and not self.since:  # as version 0.1 saved it
            self.since = self.incident.started

    @property
    def is_idle(self) -> bool:
        """Whether it is equal to a new one."""
        return self.state is State.NORMAL and self.incident is None and not self.runs

    @property
    def has_limits(self) -> bool:
        """Whether a limit condition is active."""
        return self.incident is not None and bool(self.incident.limits)

    @property
    def learns(self) -> bool:
        """Whether readings are learned: without an incident, or if it is only about a trend or the sensor's peers.

        What its detectors have learned of it isn't what is wrong then.
        """
        incident = self.incident
        if incident is None:
            return True
        is_held = self.state.holds_open and not (incident.is_trend and self.state is not State.SILENT)
        return not is_held and not incident.limits and incident.error is None

    @property
    def involved(self) -> Collection[str] | None:
        """The detectors whose scores define the open incident; None for all, if there is none."""
        return None if self.incident is None else self.incident.evidence

    @property
    def steady_since(self) -> float:
        """The time since which the current level may become normal; what goes farther away has none yet."""
        return self.since if self.incident is None else max(self.since, self.incident.course.worsened)

    @property
    def least_steady_s(self) -> float:
        """The minimum time without change after which the current level may become normal, in seconds."""
        return STEADY_S if self.steady_since - self.since >= SLOW_S else 0.0

    @property
    def is_level(self) -> bool:
        """Whether what has lasted is a level, and not something that comes and goes."""
        incident = self.incident
        return incident is None or (incident.course.is_level and (incident.is_slide or not self.calm_s))

    def has_lasted(self, observation: Observation, known_s: float, settings: IncidentSettings) -> bool:
        """Whether an incident, or the learning of its level, has lasted for so long that its level is adopted.

        Args:
            observation: The reading.
            known_s: Seconds for which the sensor has been observed.
            settings: The longest time that a level must last.
        """
        if self.state is State.NORMAL:
            return False
        incident, lasted = self.incident, observation.time - self.steady_since
        is_slide = incident is not None and incident.is_slide
        is_level, beyond = self.is_level and not observation.endures, 0.0
        if incident is not None and is_level:
            lasted -= incident.course.no_level_s
            beyond = 0.0 if incident.extent is None else incident.course.beyond(incident.extent)
        least_s = max(patience(known_s, settings.adopt_after_s, is_level=is_level, beyond=beyond), self.least_steady_s)
        if is_slide:
            least_s = max(least_s, patience(known_s, STEADY_S, is_level=is_level))
        if lasted < least_s:
            return False
        extent = None if incident is None else incident.extent
        if incident is None or extent is None or known_s < KNOWN_S:
            return True
        return not incident.course.is_left(observation.value, extent.yardstick)

    @property
    def has_error(self) -> bool:
        """Whether the last reading was an error value."""
        return self.incident is not None and self.incident.error is not None

    @property
    def was_told_silent(self) -> bool:
        """Whether the last that was told of an incident of learned behaviour is that the sensor is silent."""
        incident = self.incident if self.state.holds_open else None
        return incident is not None and incident.told_silent and incident.last.is_silence

    @property
    def may_linger(self) -> bool:
        """Whether a detector may still be surprised by the past: after an incident that it raised."""
        return self.state in {State.OPEN, State.CALMING, State.SETTLING}

    def postpone(self, time: float) -> None:
        """Let what may become normal begin at this time: before it, it was at no level or was ruled out."""
        self.since = max(self.since, time)
        if self.incident is not None:
            self.incident.course.no_level_s = 0.0

    def awaits_work(self, time: float) -> bool:
        """Whether the open incident is about what the sensor does at work, so that a rest doesn't end it.

        Args:
            time: Time of the reading.
        """
        incident = self.incident
        if incident is None or self.state not in {State.OPEN, State.CALMING}:
            return False
        found = (each for each in incident.last.opinions if each.exceeds)
        return time - incident.last.time <= LONGEST_REST_S and any(each.about in AT_WORK for each in found)

    def calm_signal(self, clear_after: int, time: float, *, lingers: bool) -> MachineInput:
        """The signal of a calm reading.

        Args:
            clear_after: Number of consecutive calm readings that clear an incident.
            time: Time of the reading.
            lingers: Whether a smoothing detector is still surprised.
        """
        if self.state is State.SETTLING:
            return MachineInput.SETTLES if lingers else MachineInput.CALM_ENOUGH
        may_return = self.incident is not None and time - self.incident.last.time < self.calm_s
        if self.calm + 1 < clear_after or may_return:
            return MachineInput.CALM
        return MachineInput.SETTLES if lingers and self.may_linger else MachineInput.CALM_ENOUGH

    def step(
        self,
        signal: MachineInput,
        observation: Observation,
        settings: IncidentSettings,
        weight: float = 1.0,
        yardstick: Yardstick = UNKNOWN,
        clock: float = math.nan,
    ) -> tuple[Transition, Incident] | None:
        """Advance by one signal.

        Args:
            signal: The signal; `TABLE` must define it for the current state.
            observation: The reading or silence that caused it.
            settings: Number of readings that break and restore a limit, and the interval between updates.
            weight: Importance of the sensor, see `edge.core.model.notation.severity`.
            yardstick: Properties of the sensor; ignored while an incident is open.
            clock: Stream clock, or NaN.

        Returns:
            The transition to publish and its incident, or None.
        """
        before = self.incident
        kind = before.kind if before is not None else ""
        was_calm = before is not None and self.calm >= settings.clear_after
        self._leave_adopted(signal, observation)
        self.state, action = TABLE[self.state, signal]
        if signal not in NO_NEWS:
            self.calm = self.calm + 1 if signal in CALM else 0
        if action in {Action.RAISE, Action.EXPIRE}:
            self.since = observation.time
        if action in {Action.RAISE, Action.EXTEND}:
            self._extend(observation, yardstick, clock, again=action is Action.RAISE)
        elif action in {Action.CLEAR, Action.EXPIRE} and before is not None:
            before.learned_kind = ""
            before.adopted |= action is Action.EXPIRE
            self.calm, self.calm_s = 0, 0.0
            self.lowest, self.highest = before.known_range(FAR)
        has_turned = self._follow_limits(observation, settings, yardstick)
        self._follow_errors(signal, observation, yardstick)
        self._follow_peers(signal, observation, yardstick)
        self._follow_course(signal, observation, returns=was_calm and action is Action.EXTEND)
        incident = self.incident
        if incident is None:
            return None
        incident.weight = weight
        incident.rename()
        has_turned |= signal is MachineInput.DIFFERS and incident.joined
        has_turned |= self._follow_return(signal, observation, incident)
        has_turned |= incident.kind != kind and (action in {Action.RAISE, Action.CLEAR} or signal in NO_NEWS)
        if before is None:
            return Transition.RAISED, incident
        if not self.state.holds_open and not incident.is_held_otherwise:
            self.incident = None
            expires = action is Action.EXPIRE or signal is MachineInput.PEERS_ADOPTED
            return (Transition.EXPIRED if expires else Transition.CLEARED), incident
        counts = action in {Action.RAISE, Action.EXTEND} or bool(observation.broken)
        counts = counts or (signal is MachineInput.HOLDS and incident.rise > 0)  # a postponed event is published, too
        if has_turned or action is Action.EXPIRE:
            return Transition.UPDATED, incident
        if counts and incident.worth_an_update(observation.time, settings.update_s):
            return Transition.UPDATED, incident
        return None

    def _leave_adopted(self, signal: MachineInput, observation: Observation) -> None:
        """Give up a level that is being adopted for a surprising value that is far beyond it and the usual range."""
        is_known = self.lowest <= observation.value <= self.highest
        if self.state is State.ADOPTING and signal is MachineInput.EXCEEDS and not is_known:
            self.state = State.NORMAL

    def _follow_return(self, signal: MachineInput, observation: Observation, incident: Incident) -> bool:
        """End a silence within an incident that continues; returns whether this is one."""
        if signal is not MachineInput.RETURN or not self.state.holds_open:
            return False
        incident.last = observation
        incident.course.skip(observation.time)
        return True

    def _follow_peers(self, signal: MachineInput, observation: Observation, yardstick: Yardstick) -> None:
        """Begin and end a deviation from peers."""
        deviation = observation.deviation
        if signal is MachineInput.DIFFERS and deviation is not None:
            if self.incident is None:
                self.incident = Incident.from_peers(observation, deviation, yardstick)
            self.incident.differ(observation, deviation)
        elif signal in OF_PEERS and self.incident is not None:
            self.incident.deviation = None

    def _follow_errors(self, signal: MachineInput, observation: Observation, yardstick: Yardstick) -> None:
        """Begin and end error values."""
        if signal is MachineInput.NO_VALUE:
            if self.incident is None:
                self.incident = Incident.from_error(observation, yardstick)
            self.incident.take_error(observation)
            self.postpone(observation.time)
        elif signal is MachineInput.VALUE and self.incident is not None:
            self.incident.error = None

    def _follow_course(self, signal: MachineInput, observation: Observation, *, returns: bool) -> None:
        """Add a reading to the course of the value."""
        incident = self.incident
        if incident is None or signal not in AWAY | CALM or observation.is_silence:
            return
        usual = UNKNOWN if incident.extent is None else incident.extent.yardstick
        incident.course.see(
            observation.value,
            observation.time,
            usual,
            away=signal in AWAY,
            returns=returns,
            endures=observation.endures,
        )

    def _extend(self, observation: Observation, yardstick: Yardstick, clock: float, *, again: bool) -> None:
        if self.incident is None:
            self.incident = Incident.from_observation(observation, yardstick, clock)
        else:
            if again:
                self.incident.show_again(observation)
            self.incident.extend(observation, clock)

    def _follow_limits(self, observation: Observation, settings: IncidentSettings, yardstick: Yardstick) -> bool:
        """Begin and end limit conditions by a reading; returns whether one did."""
        incident, broken = self.incident, observation.broken
        if broken is None:  # no reading: limits are as they were
            if incident is not None:
                incident.left = []
            return False
        turn = hold_against_limits(
            broken,
            observation.time,
            observation.read,
            incident.limits if incident is not None else {},
            self.runs,
            raise_after=settings.raise_after,
            clear_after=settings.clear_after,
        )
        self.runs = turn.runs
        if incident is None and turn.joined:
            incident = self.incident = Incident.from_limits(observation, yardstick)
        if incident is None:
            return False
        incident.let(turn.joined, turn.left)
        incident.break_limits(observation, [each for each in broken if each.key in incident.limits])
        return bool(turn.joined or turn.left)
