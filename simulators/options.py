"""Types of command-line values: durations, times, topic prefixes."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import click

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class SpanType(click.ParamType[float]):
    """A duration above 0: `90`, `90s`, `15m`, `12h`, `7d`, `2w`; converted to seconds."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType`."""
        if isinstance(value, (int, float)):
            return float(value)
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", str(value).strip(), re.ASCII)
        seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
        if not 0 < seconds < math.inf:
            self.fail(f"{value!r} isn't a span of time; write 90s, 15m, 12h or 7d", param, ctx)
        return seconds


class MomentType(click.ParamType[float]):
    """A time: RFC 3339, UTC without an offset, or seconds since the epoch; converted to the latter."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See `click.ParamType`."""
        if isinstance(value, (int, float)):
            return float(value)
        text = str(value).strip()
        try:
            if re.fullmatch(r"\d{1,11}(\.\d+)?", text, re.ASCII):
                return float(text)
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} isn't a time; write 2026-11-23T05:00:00Z or seconds since 1970", param, ctx)


class Prefix(click.ParamType[str]):
    """Leading levels of topics."""

    name = "levels"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        from simulators.publish.csv_source import topic_problem  # noqa: PLC0415 - loaded when it is used

        problem = topic_problem(str(value))
        if problem:
            self.fail(f"{value!r} can't begin a topic: {problem}", param, ctx)
        return str(value)
