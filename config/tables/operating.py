"""The tables `[commands]` and `[[maintenance]]`: whether commands are accepted, and maintenance windows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, field

from config.notation.calendar import Window, rule_problem
from config.tables.common.fields import FieldPlace, Table, checked, checks, refuse
from config.tables.common.texts import Glob, Zone

MOST_WINDOWS = 100


class Commands(Table):
    """Commands over MQTT."""

    enabled: Annotated[
        bool, Meta(description="Accept commands; anyone who may publish to their topics can then silence alarms")
    ] = False


Moment = Annotated[datetime, Meta(extra_json_schema={"format": "date-time"})]


class MaintenanceTable(Table, kw_only=True):
    """A window in which sensors are suppressed."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="Name of the window")]
    sensors: Annotated[Glob, Meta(description="Glob of sensor names")]
    every: Annotated[Annotated[str, checked(rule_problem)] | None, Meta(description="Weekly rule")] = None
    zone: Annotated[Zone, Meta(description="Time zone of every, from and to")] = "UTC"
    start: Annotated[Moment | None, Meta(description="Start of a window that occurs once")] = field(
        name="from", default=None
    )
    end: Annotated[Moment | None, Meta(description="End of a window that occurs once")] = field(name="to", default=None)
    learn: Annotated[bool, Meta(description="Keep learning during the window")] = False

    @staticmethod
    @checks("end", absent=True)
    def _once_or_every_week(end: datetime | None, place: FieldPlace) -> datetime | None:
        if not place.earlier.keys() >= {"every", "start", "zone"}:
            return end
        every, start = place.earlier["every"], place.earlier["start"]
        if (every is None) == (end is None) or (every is not None and start is not None):
            raise refuse("must be given if every isn't, and must not be given together with it")
        if (
            end is not None
            and start is not None
            and _time(start, place.earlier["zone"]) >= _time(end, place.earlier["zone"])
        ):
            raise refuse("must be later than from")
        return end

    def window(self) -> Window:
        """The window in the form used by the core."""
        if self.every is not None:
            return Window(self.name, self.sensors, every=self.every, zone=self.zone, learn=self.learn)
        start = -math.inf if self.start is None else _time(self.start, self.zone)
        end = math.inf if self.end is None else _time(self.end, self.zone)
        return Window(self.name, self.sensors, start, end, zone=self.zone, learn=self.learn)


def _time(moment: datetime, zone: str) -> float:
    """Convert a time to seconds since the epoch; without an offset, the time zone applies."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()
