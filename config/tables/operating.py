"""The tables `[commands]` and `[[maintenance]]`: whether commands are accepted, and maintenance windows."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from config.notation.calendar import Window, rule_problem
from config.notation.topics import glob_problem
from config.tables.fields import Table, checked, refuse
from config.tables.transport import zone_problem

MOST_WINDOWS = 100


class Commands(Table):
    """Commands over MQTT."""

    enabled: bool = Field(
        False, description="Accept commands; anyone who may publish to their topics can then silence alarms"
    )


def _as_moment(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


Moment = Annotated[datetime, BeforeValidator(_as_moment)]


class MaintenanceTable(Table):
    """A window in which sensors are suppressed."""

    name: str = Field(min_length=1, max_length=64, description="Name of the window")
    sensors: Annotated[str, checked(glob_problem)] = Field(description="Glob of sensor names")
    every: Annotated[str, checked(rule_problem)] | None = Field(None, description="Weekly rule")
    zone: Annotated[str, checked(zone_problem)] = Field("UTC", description="Time zone of every, from and to")
    start: Moment | None = Field(None, alias="from", description="Start of a window that occurs once")
    end: Moment | None = Field(None, alias="to", validate_default=True, description="End of a window that occurs once")
    learn: bool = Field(False, description="Keep learning during the window")

    @field_validator("end")
    @classmethod
    def _once_or_every_week(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        if not info.data.keys() >= {"every", "start", "zone"}:
            return end
        every, start = info.data["every"], info.data["start"]
        if (every is None) == (end is None) or (every is not None and start is not None):
            raise refuse("must be given if every isn't, and must not be given together with it")
        if end is not None and start is not None and _time(start, info.data["zone"]) >= _time(end, info.data["zone"]):
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
