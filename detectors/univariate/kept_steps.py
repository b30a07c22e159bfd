"""Kept steps: whether a sensor is one whose readings step to another level and stay there, as a set point's do.

The largest step so far is a fault on a sensor that doesn't step, and Tuesday's recipe on one that does. Once a sensor
has kept two of its steps, another one of like size counts as seen before, unless it is taken back within a few
readings: that was a spike, and is as surprising as it was. After many kept steps the largest one is known, and a larger
one is news again.
"""

from __future__ import annotations

from detectors.base import Field, State
from detectors.noise import WINSOR, Noise, faded, seen_before
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import any_of, maximum, minimum, nowhere, where

KEPT = 3.0
"""A step is kept if so many further readings don't take it back."""

STEPPING = 1.5
"""A sensor has the character of steps while so many kept ones are remembered: while two are."""

MANY = 20.0
"""After so many kept steps the largest one is known: the next exceeds it with a chance of one in their number only."""

REACH = 3.0
"""A step up to this many times the largest known one is of like size: to the next level, or to one far off."""

TAKEN_BACK = 0.25
"""A step is taken back by a reading that is nearer than this share of it to the level before."""


def steps_layout() -> dict[str, Field]:
    """The state fields of the steps.

    `origin` is the level before the step that waits for what follows it, `step` its size, `withheld` its surprise if it
    wasn't told, `since` the number of its readings (0 if none waits), `usual` the largest step known before it, and
    `kept` the number of steps that were kept, which fades.
    """
    names = ("origin", "step", "withheld", "since", "usual", "kept")
    return {name: Field(learned=False, later=True) for name in names}


def with_kept_steps(
    state: State, slots: Rows, noise: Noise, score: Numbers, change: Numbers, last: Numbers, memory: float
) -> Numbers:
    """Correct the surprise of changes by what the sensor's steps are like, and follow its steps.

    Args:
        state: The detector's state.
        slots: Rows, shape (n,), or an int.
        noise: The noise of the changes, before these are learned.
        score: Decades of surprise of the changes, shape (n,).
        change: The changes, shape (n,).
        last: The readings before them, shape (n,).
        memory: Memory of the noise, in readings.
    """
    since, kept = state["since"][slots], faded(state["kept"][slots], memory)
    waits = nowhere(since > 0)
    far = nowhere(abs(change) > WINSOR * noise.spread)
    if not any_of(waits) and not any_of(far):
        state["usual"][slots], state["kept"][slots] = noise.record, kept
        return score
    origin, step, withheld = state["origin"][slots], state["step"][slots], state["withheld"][slots]
    back = waits & (abs(last + change - origin) < TAKEN_BACK * abs(step))
    ended = waits & (back | (since >= KEPT))
    seen = seen_before(noise.count)
    like = far & (kept > STEPPING) & (kept < MANY) & (abs(change) <= REACH * noise.record) & (score > seen)
    like = where(back, False, like)
    begins = where(waits, False, far)
    told = where(back, maximum(score, withheld), where(like, minimum(score, seen), score))
    state["kept"][slots] = kept + where(back, 0.0, where(ended, 1.0, 0.0))
    state["origin"][slots] = where(begins, last, origin)
    state["step"][slots] = where(begins, change, step)
    state["withheld"][slots] = where(begins, where(like, score, 0.0), withheld)
    state["since"][slots] = where(begins, 1.0, where(ended, 0.0, where(waits, since + 1.0, 0.0)))
    state["usual"][slots] = where(waits, state["usual"][slots], noise.record)
    return told
