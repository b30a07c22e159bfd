"""Alarm budget of a rule or device, and the beginning and end of its incidents, in a sentence."""

from __future__ import annotations

import numpy as np

from config.schema import ResolvedDevice, ResolvedRule
from edge.commands.support.printing.durations import spelled_out
from edge.core.scoring.profiles import Profile

_INTERVALS = (("second", 1.0), ("minute", 60.0), ("ten minutes", 600.0))


def describe_alarm(rule: ResolvedRule | ResolvedDevice) -> str:
    """Describe the false-alarm budget of a rule or device, and when an incident begins, is updated and ends."""
    settings = rule.incidents
    profile = Profile(rule.detectors, settings)
    if settings.threshold is not None:
        chance = _one_in(settings.threshold)
        level = f"Surprise of {settings.threshold:g} decades, by chance one reading in {chance},"
    else:
        seconds = np.array([interval for _, interval in _INTERVALS])
        levels = profile.level_at(seconds)
        per = "; ".join(
            f"{each:.1f} with a reading a {name}" if name != "ten minutes" else f"{each:.1f} with one every {name}"
            for (name, _), each in zip(_INTERVALS, levels.tolist(), strict=True)
        )
        level = (
            f"Each sensor may cost a false alarm {_rarely(settings.false_alarms_per_sensor_per_day)}. "
            f"A level of surprise that is learned from its own scores (in its first hours, in decades: {per})"
        )
    again = "" if settings.raise_after == 1 else f" in {settings.raise_after} readings in a row"
    return (
        f"{level}{again} raises an incident. It is cleared by {settings.clear_after} readings in a row below "
        f"{settings.clear_ratio:.0%} of that level; after {spelled_out(settings.adopt_after_s)} its level "
        f"is taken as normal. Updates are published at most every {spelled_out(settings.update_s)}."
    )


def _one_in(decades: float) -> str:
    return f"{10**decades:,.0f}" if decades <= 9 else f"10^{decades:g}"


def _rarely(per_day: float) -> str:
    if per_day >= 1:
        return f"{per_day:g} times a day"
    return f"about once in {1 / per_day:.3g} days"
