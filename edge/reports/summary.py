"""The summary of a backtest as a table of text, for a page and for a terminal."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from edge.core.model.notation.quantities import duration, number
from edge.reports.backtest import Backtest, Total


def rows(backtest: Backtest, totals: list[Total]) -> tuple[list[str], list[list[str]]]:
    """The header, and a row for each configuration; columns that can't be judged are left out."""
    judged = any(each.judged is not None for each in totals)
    header = ["configuration", "incidents"]
    if judged:
        header += ["found", "missed", "false", "delay, median", "delay, worst", "false a sensor-day"]
        header += ["labelled time covered"]
    else:
        header += ["a sensor-day", "INFO", "WARN", "ERROR", "FATAL"]
    return header, [
        [name, str(total.incidents), *(_judged(total) if judged else _unjudged(total))]
        for name, total in zip(backtest.configurations, totals, strict=True)
    ]


def budget_rows(backtest: Backtest, totals: list[Total]) -> tuple[list[str], list[list[str]]]:
    """The effect of other budgets: a header, and one row per configuration."""
    header = ["incidents with a budget a sensor-day of", *map(number, backtest.budgets)]
    return header, [
        [name, *map(str, total.budgets)] for name, total in zip(backtest.configurations, totals, strict=True)
    ]


def as_text(header: list[str], body: list[list[str]]) -> str:
    """Format a table for a terminal, with the first column left-aligned and others right-aligned."""
    widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
    lines = []
    for cells in (header, *body):
        first, *rest = zip(cells, widths, strict=True)
        lines.append("  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]).rstrip())
    return "\n".join(lines)


def per_cent(share: float) -> str:
    """Format a share as a percentage."""
    return "-" if math.isnan(share) else f"{share:.0%}"


def rate(daily: float) -> str:
    """Format a rate per sensor-day."""
    return "-" if math.isnan(daily) else number(round(daily, 3))


def spell_moment(time: float) -> str:
    """Format a time to the second, UTC."""
    return datetime.fromtimestamp(round(time), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _judged(total: Total) -> list[str]:
    judged = total.judged
    if judged is None:
        return ["-"] * 7
    missed = f"{judged.missed} ({judged.already} open already)" if judged.already else str(judged.missed)
    return [
        f"{judged.found} of {judged.labels}",
        missed,
        str(judged.false),
        spell_span(judged.delay_median_s),
        spell_span(judged.delay_worst_s),
        rate(judged.false_per_sensor_day),
        per_cent(judged.covered),
    ]


def _unjudged(total: Total) -> list[str]:
    daily = total.incidents / total.sensor_days if total.sensor_days else math.nan
    return [rate(daily), *map(str, total.by_class)]


def spell_span(seconds: float) -> str:
    """Format a duration."""
    return "-" if math.isnan(seconds) else duration(seconds)


def many(count: int, word: str) -> str:
    """Format a number with its noun."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
