"""How much of the published readings the service has processed, so that only those are evaluated."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.faults.truth import TruthSummary
from simulators.signals.label import Fault


def reached(summary: TruthSummary | None, taken: int) -> float:
    """The plant time up to which the service has processed the readings; infinity if it has processed all.

    Args:
        summary: The published readings, one per message, in order of time; None if unknown.
        taken: Number of messages processed by the service.
    """
    if summary is None or taken >= summary.readings:
        return float("inf")
    return summary.start + (summary.end - summary.start) * taken / summary.readings


def seen(faults: Sequence[Fault], until: float) -> list[Fault]:
    """The faults that have begun by a time."""
    return [each for each in faults if each.start <= until]


def remark(summary: TruthSummary | None, taken: int, left_out: int) -> str:
    """A sentence if not all readings were processed; else empty."""
    if summary is None or taken >= summary.readings:
        return ""
    faults = f"{left_out} fault{'' if left_out == 1 else 's'} that began later {'is' if left_out == 1 else 'are'}"
    return f"Of {summary.readings:,} readings {taken:,} were taken in time: {faults}n't counted."
