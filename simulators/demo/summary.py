"""The demo's summary: the simulated faults, and the service's findings."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from statistics import median

from simulators.faults.truth import Comparison, FaultVerdict, RaisedIncident, compare
from simulators.signals.label import Fault

GRACE_S = 1800.0
RECOVERY_S = 4 * 3600.0
"""Incidents within this time after a fault belong to it, because the return to normal is also a change."""

MOST_FALSE_PER_DAY = 2.0
LEAST_FOUND = 0.6


def judge(faults: Sequence[Fault], incidents: Sequence[RaisedIncident], claimed: Collection[str]) -> Comparison:
    """Compare the incidents with the truth."""
    return compare(faults, incidents, claimed=claimed, grace_s=GRACE_S, recovery_s=RECOVERY_S)


def summary(
    comparison: Comparison, claimed: frozenset[str], sensor_days: float, remark: str = "", columns: int | None = None
) -> list[str]:
    """The summary as lines: a table of the kinds of faults, the false incidents, and the totals.

    Args:
        comparison: The incidents compared with the truth.
        claimed: Kinds of faults that the service claims to detect.
        sensor_days: Monitored time of all sensors in days.
        remark: Additional text; may be empty.
        columns: Width at which sentences are wrapped; None to leave them unwrapped.
    """
    lines = ["", f"{'fault':<20}{'injected':>9}{'found':>7}{'missed':>8}{'delay, median':>16}{'longest':>10}"]
    kinds = sorted({each.fault.kind for each in comparison.verdicts}, key=lambda each: (each not in claimed, each))
    for kind in kinds:
        verdicts = [each for each in comparison.verdicts if each.fault.kind == kind]
        note = "" if kind in claimed else " *"
        lines.append(f"{kind:<20}{_row(verdicts)}{note}")
    total = comparison.claimed
    false_rate = len(comparison.false) / sensor_days if sensor_days else 0.0
    sentences = [
        f"Of {total.injected} faults that the detectors claim to catch: {total.found} found, {total.missed} missed.",
        f"{len(comparison.false)} false incidents in {sensor_days:.0f} sensor-days, {false_rate:.2f} a sensor-day.",
    ]
    if comparison.early or comparison.late:
        sentences.append(
            f"{len(comparison.early)} more were open already when a fault began, {len(comparison.late)} came"
            " after one; these are not counted as false."
        )
    sentences += [
        f"  missed: {each.fault.sensor}: {each.fault.kind}: {each.fault.sentence}"
        for each in comparison.verdicts
        if each.found is None and each.fault.kind in claimed
    ]
    if not claimed.issuperset(kinds):
        sentences.append("* no detector of this configuration claims to catch it.")
    sentences += [remark] if remark else []
    return [*lines, "", *(line for each in sentences for line in _wrapped(each, columns))]


def _wrapped(sentence: str, columns: int | None) -> list[str]:
    if columns is None:
        return [sentence]
    return textwrap.wrap(sentence, columns, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def problems(comparison: Comparison, sensor_days: float) -> list[str]:
    """Why the detection can't be considered working; empty if it can."""
    found = []
    total = comparison.claimed
    if total.injected and total.found < LEAST_FOUND * total.injected:
        found.append(f"only {total.found} of {total.injected} faults were found")
    if len(comparison.false) > MOST_FALSE_PER_DAY * sensor_days:
        found.append(f"{len(comparison.false)} false incidents are more than {MOST_FALSE_PER_DAY:g} a sensor-day")
    return found


def _row(verdicts: Sequence[FaultVerdict]) -> str:
    delays = [each.delay_s for each in verdicts if each.delay_s is not None]
    middle, longest = (_duration(median(delays)), _duration(max(delays))) if delays else ("-", "-")
    return f"{len(verdicts):>9}{len(delays):>7}{len(verdicts) - len(delays):>8}{middle:>16}{longest:>10}"


def _duration(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
