"""Times on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click


class PastMoment(click.ParamType[float]):
    """A time: RFC 3339, a date, or an age: `90m`, `24h`, `7d`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds since the epoch."""
        ago = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", str(value))
        if ago:
            unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[ago[2]]
            return (datetime.now(UTC) - timedelta(**{unit: float(ago[1])})).timestamp()
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(
                f"{value!r} isn't a time: write 2026-11-23T05:00:00Z, 2026-11-23, or 24h for a day ago",
                param,
                ctx,
            )
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
