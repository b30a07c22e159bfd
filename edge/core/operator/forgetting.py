"""Forgetting: discards the engine's state of a sensor and vacates its slot."""

from __future__ import annotations

import numpy as np

from edge.core.engine import Engine


def forget(engine: Engine, slot: int) -> None:
    """Discard a sensor's state and vacate its slot. Its device restarts with the other sensors."""
    device = engine.devices.leave(slot)
    if device is not None:
        clear(engine, device)
    _vacate(engine, slot)


def forget_device(engine: Engine, slot: int, name: str) -> None:
    """Discard the state of a device without sensors and vacate its slot."""
    engine.devices.forget(name)
    _vacate(engine, slot)


def occupy(engine: Engine, slot: int) -> None:
    """Put a vacant slot to use for a sensor or device."""
    engine.membership.leave(slot)
    engine.declare_counter(slot)
    engine.devices.occupied(slot)


def silent_for(engine: Engine, seconds: float) -> list[int]:
    """Slots of the sensors without a reading for more than `seconds` of the stream clock; no devices.

    Time during which the service couldn't receive, such as a lost connection, doesn't count.
    """
    known, statistics = len(engine.members), engine.statistics
    silent = (statistics.count[:known] > 0) & (statistics.seen[:known] < engine.clock.now - seconds)
    return [slot for slot in np.flatnonzero(silent).tolist() if not engine.devices.is_device(slot)]


def clear(engine: Engine, slot: int) -> None:
    """Discard the state of a sensor or device that stays in use."""
    engine.membership.clear(slot)
    for each in (engine.statistics, engine.levels, engine.error_values, engine.paces):
        each.clear_row(slot)
    engine.tracking.forget_past(slot)
    engine.peers.clear_row(slot)
    engine.tracking.put([slot], {})
    engine.clock.forget(slot)


def _vacate(engine: Engine, slot: int) -> None:
    clear(engine, slot)
    engine.membership.leave(slot)
