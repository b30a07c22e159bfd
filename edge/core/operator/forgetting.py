"""Forgetting: what the engine knows of a sensor is given up, and its slot is nobody's until another one gets it."""

from __future__ import annotations

import numpy as np

from edge.core.engine import Engine


def forget(engine: Engine, slot: int) -> None:
    """Know nothing of a sensor any more; its slot is nobody's. Its device begins anew with the other sensors."""
    device = engine.devices.leave(slot)
    if device is not None:
        clear(engine, device)
    _vacate(engine, slot)


def forget_device(engine: Engine, slot: int, name: str) -> None:
    """Know nothing of a device any more that has no sensors left; its slot is nobody's."""
    engine.devices.forget(name)
    _vacate(engine, slot)


def occupy(engine: Engine, slot: int) -> None:
    """Let a slot that was nobody's be a sensor's or a device's."""
    engine.membership.leave(slot)
    engine.declare_counter(slot)
    engine.devices.occupied(slot)


def silent_for(engine: Engine, seconds: float) -> list[int]:
    """Slots of the sensors that nothing was heard of for longer than so, by the stream clock; no devices.

    What is missing for a reason of our own, as the link was down, counts as heard of.
    """
    known, statistics = len(engine.members), engine.statistics
    silent = (statistics.count[:known] > 0) & (statistics.seen[:known] < engine.clock.now - seconds)
    return [slot for slot in np.flatnonzero(silent).tolist() if not engine.devices.is_device(slot)]


def clear(engine: Engine, slot: int) -> None:
    """Know nothing of a sensor or device any more, which goes on."""
    engine.membership.clear(slot)
    for each in (engine.statistics, engine.levels, engine.error_values, engine.paces):
        each.clear_row(slot)
    engine.tracking.put([slot], {})
    engine.clock.forget(slot)


def _vacate(engine: Engine, slot: int) -> None:
    clear(engine, slot)
    engine.membership.leave(slot)
