"""Severity of learned conditions, by their consequence: how far, how long, and whether it gets worse.

The surprise of a detector doesn't measure this: a tank that is filled each day jumps as surprisingly as one that
overflows. What counts is measured in units of the sensor's own, as they were before the incident began:

- *out*: how far the value is outside the quoted band, in widths of the sensor's usual range;
- *beyond*: how far it is beyond the range that the sensor usually reaches, in widths of that range. A third of it
  counts at once, and all of it when it has lasted as long as the sensor's incidents usually do, an hour at most: a
  door that was open and a machine that was started are over within minutes, however far they went. What moves for
  the first time ever, such as a contact for leaks, counts as if it had lasted half of that already. For a sensor with a
  short history it counts in proportion to the length of that history: on a plant's first morning everything is beyond
  all earlier values;
- *grown*: how much farther away it is than when the incident began;
- *lasted*: how long it has lasted, in the usual durations of the sensor's incidents, in proportion to its *size*: what
  is a tenth of the usual range away counts a tenth of its time, as a tank that was filled stays full. The size is how
  far it is out, or a multiple of how far it is beyond; of a mean, how far that has drifted; of what is unsteady, or
  falls faster than ever, by how many times. A trend over days lasts by nature, which isn't counted, and is as far out
  as beyond;
- *overdue*: how long a condition of which the duration is what is wrong, such as a stuck value, has lasted, in units of
  the longest before. What stays at the floor of its range, such as a machine at rest or an open contact, counts little.

The points of each are added (`severity_of_consequence()`). Each grows with its quantity, and an incident is as severe
as at its worst moment. From FATAL on, points count a third, so that the worst of incidents differ and the top is rare:
it takes all that can be. The limits of a sensor that has some outrank all that: learned conditions are less severe than
a broken limit (`Yardstick.most`). Silences aren't rated here, nor devices, whose value isn't a quantity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.core.model.notation.severity import WORST_SEVERITY
from edge.core.scoring.opinions import Opinion

NOTABLE = 100
"""Severity of a condition that is merely unusual."""

OUT = 50
"""Points of a value that is outside its band by a width of the usual range or more."""

BEYOND, STEEPNESS, MOST_BEYOND = 150, 16.0, 900
"""Points beyond the usual range: 150 a sixteenth of its width beyond it, 300 three sixteenths, 613 a whole width; and
at most."""

GROWN, MUCH = 50, 0.25
"""Points for a growth by this many widths of the usual range or more."""

LASTED, MOST_LASTED, MOST_RESTED = 100, 400, 150
"""Points at the usual length of an incident, as many again with each doubling of that and the usual length together;
and at most; and at most for a rest."""

SIZE_BEYOND = 4.0
"""What is a quarter of the usual range beyond it lasts in full."""

TIMES_UNSTEADY = 4.0
"""What changes by two to the power of this many times as much as usual lasts in full."""

TIMES_AS_FAST = 2.0
"""The same for what moves on that many times as far within hours as ever before."""

FATAL, MOST_POINTS = 750, NOTABLE + OUT + MOST_BEYOND + GROWN + MOST_LASTED
"""Points count in full up to here, and beyond it so that all that there can be reach the end of the scale."""

AT_ONCE = 1 / 3
"""Share of the points beyond the usual range that counts at once."""

OF_NEVER = 1 / 2
"""Share of the time after which all of them count that what had never changed is given."""

UNCERTAIN = 400
"""Highest severity while the value may be an error value, which is that of one."""

FARTHER, FARTHER_WIDTHS = 2.0, 0.5
"""A value has leapt if it is this many times as far beyond the usual range as was told, and another half of a width."""

OF_RECORDS = 4 / 5
"""Share of the distance beyond the records of all days that counts as one beyond the usual range, if this is wider."""

NEARLY = 3 / 4
"""A value has gone nearly as far as it went at this share of the way."""

EPISODE_S = 3600.0
"""The usual length of an incident as long as nothing is known of the sensor's."""


@dataclass(slots=True, frozen=True)
class Yardstick:
    """The properties of a sensor before an incident.

    Attributes:
        low: Lower end of its usual range; NaN if there is none yet, in which case the band is used instead.
        high: Upper end.
        sure: How well it is known, 0 to 1.
        episode_s: Usual duration of its incidents, in seconds.
        most: Highest severity of learned conditions.
        is_device: Whether it is a device.
    """

    low: float = math.nan
    high: float = math.nan
    sure: float = 1.0
    episode_s: float = EPISODE_S
    most: int = WORST_SEVERITY
    is_device: bool = False

    @property
    def width(self) -> float:
        """Width of the usual range; of a value that has never changed a twentieth of it; NaN if there is no range."""
        return self.high - self.low or abs(self.high) / 20

    @property
    def middle(self) -> float:
        """Middle of the usual range; NaN if there is none."""
        return (self.low + self.high) / 2

    def beyond(self, value: float) -> float:
        """How far a value is beyond the usual range, in its widths; 1 if the range has no width."""
        distance = max(self.low - value, value - self.high)
        if not distance > 0:
            return 0.0
        return distance / self.width if self.width > 0 else 1.0

    def rests_at(self, value: float) -> bool:
        """Whether a value is the floor of the usual range, where a machine stops and a contact is open."""
        return self.low == value < self.high

    def farthest(self, *values: float) -> float:
        """The one of several values that is farthest beyond the usual range, or the first one."""
        return max(values, key=self.beyond)

    def out(self, value: float, lower: float, upper: float) -> float:
        """How far a value is outside a band, in widths of the usual range, or of the band; 0 if there is no band."""
        distance = max((each for each in (lower - value, value - upper) if each > 0), default=0.0)
        width = self.width if self.width > 0 else upper - lower
        return distance / width if width > 0 else float(distance > 0)


UNKNOWN = Yardstick()
"""Of a sensor that nothing is known of."""


def _size(leading: Opinion, of: Yardstick) -> float:
    """The size, 0 to 1, of a condition that isn't about the value; 0 of others."""
    now, usual = leading.now, leading.usual
    if leading.kind == "variance" and now > usual > 0:
        return min(1.0, math.log2(now / usual) / TIMES_UNSTEADY)
    if leading.is_slope and now / usual > 1:
        return min(1.0, math.log2(now / usual) / TIMES_AS_FAST)
    if leading.kind == "drift" and of.width > 0 and math.isfinite(now - usual):
        return min(1.0, abs(now - usual) / of.width)
    return 0.0


def severity_of_consequence(
    out: float,
    beyond: float,
    grown: float,
    lasted: float,
    sure: float = 1.0,
    *,
    stays: float = 1.0,
    overdue: float = 0.0,
    size: float = 0.0,
    rests: bool = False,
) -> int:
    """Severity 1 to 1000 by consequence. It doesn't decrease with any of its arguments.

    Args:
        out: See the module; 0 or more, like the others.
        beyond: Likewise.
        grown: Likewise.
        lasted: Likewise.
        sure: How well the usual range is known, 0 to 1.
        stays: Share of the time after which what is beyond counts in full, 0 to 1.
        overdue: See the module; by how many of its longest durations a condition has lasted longer.
        size: Least size, 0 to 1.
        rests: Whether the value is at the floor of its range.

    >>> severity_of_consequence(out=0.3, beyond=0.0, grown=0.0, lasted=0.0)  # a tank is filled
    115
    >>> severity_of_consequence(out=0.3, beyond=0.0, grown=0.0, lasted=18.0)  # and stays full
    235
    >>> severity_of_consequence(out=0.2, beyond=0.125, grown=0.1, lasted=1.0)  # it overflows
    418
    >>> severity_of_consequence(out=9.0, beyond=9.0, grown=9.0, lasted=1.0, sure=0.1)  # a first morning
    390
    >>> severity_of_consequence(out=1.0, beyond=1.0, grown=0.0, lasted=0.1, stays=0.1)  # a width beyond, for minutes
    409
    >>> severity_of_consequence(out=1.0, beyond=1.0, grown=0.0, lasted=3.0)  # for hours
    821
    """
    counted = sure * (AT_ONCE + (1 - AT_ONCE) * min(1.0, stays)) if beyond > 0 else 0.0
    points = (
        OUT * min(1.0, out),
        min(MOST_BEYOND, BEYOND * math.log2(1 + STEEPNESS * beyond)) * counted,
        GROWN * min(1.0, grown / MUCH),
        max(
            min(MOST_LASTED, LASTED * math.log2(1 + lasted)) * min(1.0, max(out, SIZE_BEYOND * beyond, size)),
            min(MOST_RESTED if rests else MOST_LASTED, LASTED * math.log2(1 + overdue)),
        ),
    )
    total = NOTABLE + sum(points)
    if total > FATAL:
        total = FATAL + (total - FATAL) * (WORST_SEVERITY - FATAL) / (MOST_POINTS - FATAL)
    return round(total)


def has_leapt(far: float, before: float) -> bool:
    """Whether a value is far beyond where it was before, both in widths of the usual range beyond its end."""
    return far >= FARTHER * before + FARTHER_WIDTHS


@dataclass(slots=True)
class IncidentExtent:
    """How far an incident has gone by learned conditions, and its severity so far.

    Attributes:
        yardstick: Properties of the sensor before it.
        since: When it began, by its readings' time; NaN before it has.
        clock: The same, by the stream clock; NaN where there is none.
        first: Distance of its first reading, in widths of the usual range.
        beyond: The farthest beyond the usual range so far.
        overdue: Ratio of a duration to the longest before.
        lasted: Seconds.
        readings: Exceeding readings.
        lowest: The lowest of them.
        highest: The highest of them.
        first_value: The first of them; NaN before it.
        reached_s: Seconds until the value had gone nearly as far from the first one as it went.
        severity: At the worst moment so far; 0 while there was none.
        over: The farthest above the usual range so far, in its widths.
        under: The farthest below it.
        told_over: What was published of `over`.
        told_under: What was published of `under`.
        moved: How far the value had gone from the first one then.
        strayed: Seconds from its beginning until a value was beyond the usual range; NaN before that.
    """

    yardstick: Yardstick = UNKNOWN
    since: float = math.nan
    clock: float = math.nan
    first: float = 0.0
    beyond: float = 0.0
    overdue: float = 0.0
    lasted: float = 0.0
    readings: int = 0
    lowest: float = math.inf
    highest: float = -math.inf
    severity: int = 0
    over: float = 0.0
    under: float = 0.0
    told_over: float = 0.0
    told_under: float = 0.0
    first_value: float = math.nan
    reached_s: float = 0.0
    moved: float = 0.0
    strayed: float = math.nan

    def add(self, value: float, leading: Opinion, time: float, clock: float, *, is_strange: bool) -> None:
        """Add a reading that exceeds its level.

        Args:
            value: Its value.
            leading: The score of the detector that is farthest beyond its level.
            time: Of the reading. A leap of the sensor's clock alone makes nothing last longer, nor does one of the
                stream clock: the shorter time of the two counts.
            clock: The stream clock, or NaN.
            is_strange: Whether the value may be an error value.
        """
        of = self.yardstick
        out = 0.0 if leading.is_trend else of.out(value, leading.lower, leading.upper)
        beyond = out if math.isnan(of.low) else of.beyond(value)
        if leading.has_records:  # a slow rise has widened the usual range, but not yet the records of all days
            beyond = max(beyond, OF_RECORDS * out)
        if not self.readings:
            self.since, self.clock, self.first = time, clock, out
        self.readings += 1
        if not is_strange:
            self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
            self._move_to(value, time)
            self.reach_to(value)
        self.beyond = max(self.beyond, beyond)
        passed = [each for each in (time - self.since, clock - self.clock) if not math.isnan(each)]
        if not leading.is_trend or leading.is_slope:
            self.lasted = max(self.lasted, min(passed, default=0.0))
        if beyond > 0 and math.isnan(self.strayed):
            self.strayed = self.lasted
        if leading.kind in {"flatline", "state"} and leading.usual > 0:
            self.overdue = max(self.overdue, leading.now / leading.usual)
        # `strayed` is NaN before a value has been beyond the range; `max()` gives its first argument then.
        at_once = 1.0 if leading.is_trend else OF_NEVER if of.low == of.high else 0.0
        found = severity_of_consequence(
            out,
            beyond,
            max(0.0, out - self.first),
            self.lasted / of.episode_s,
            of.sure,
            stays=max(at_once, (self.lasted - self.strayed) / min(of.episode_s, EPISODE_S)),
            overdue=max(0.0, self.overdue - 1),
            size=_size(leading, of),
            rests=leading.kind == "flatline" and of.rests_at(value),
        )
        self.severity = max(self.severity, min(found, of.most, UNCERTAIN if is_strange else WORST_SEVERITY))

    def reach_to(self, value: float) -> None:
        """Note how far a value is beyond the usual range, as far as that is known."""
        beyond = self.yardstick.sure * self.yardstick.beyond(value)
        if value > self.yardstick.high:
            self.over = max(self.over, beyond)
        elif value < self.yardstick.low:
            self.under = max(self.under, beyond)

    def _move_to(self, value: float, time: float) -> None:
        """Note how far the value has gone from the first one, and when."""
        if math.isnan(self.first_value):
            self.first_value = value
        elif NEARLY * (moved := abs(value - self.first_value)) > self.moved:
            self.moved, self.reached_s = moved, max(time - self.since, 0.0)

    @property
    def has_leapt(self) -> bool:
        """Whether the value has gone far beyond what was published of the incident, to either side."""
        return has_leapt(self.over, self.told_over) or has_leapt(self.under, self.told_under)

    def has_jumped(self, distance: float) -> bool:
        """Whether the first value was nearly as far from the middle of the usual range as a level is, by `distance`."""
        return abs(self.first_value - self.yardstick.middle) >= NEARLY * distance

    def tell(self) -> None:
        """Record that the incident is published as it is now."""
        self.told_over, self.told_under = self.over, self.under

    def shift(self, by: float) -> None:
        """Move its beginning by the given number of seconds: the clock that stamps the sensor's readings was set."""
        self.since += by
