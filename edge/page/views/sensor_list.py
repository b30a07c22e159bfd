"""The list of sensors: selection, order, and the data of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edge.core.model.sensors.sensors import is_device
from edge.page.loop.core_queries import SensorColumns, SensorMonitoring

STATES = ("open", "silent", "muted", "new", "ok")
"""States by which sensors can be selected."""


class WantedSensors(NamedTuple):
    """A selection of sensors.

    Attributes:
        find: Text contained in the name, case-folded; empty for any.
        state: One of `STATES`; empty for any.
        order: `name`, `state`, `age` or `readings`; anything else is `name`.
    """

    find: str = ""
    state: str = ""
    order: str = "name"


def chosen(columns: SensorColumns, wanted: WantedSensors) -> list[int]:
    """The slots of the selected sensors, in order, without devices."""
    slots = [
        slot
        for slot, name in enumerate(columns.names)
        if not is_device(name)
        and (not wanted.find or wanted.find in name.casefold())
        and (not wanted.state or state_of(columns, slot) == wanted.state)
    ]
    names = columns.names
    if wanted.order == "state":
        return sorted(
            slots,
            key=lambda each: (
                -columns.open.get(each, 0),
                each not in columns.silent,
                each not in columns.quiet,
                names[each],
            ),
        )
    if wanted.order == "age":
        return sorted(
            slots, key=lambda each: (columns.time[each] if columns.readings[each] > 0 else np.inf, names[each])
        )
    if wanted.order == "readings":
        return sorted(slots, key=lambda each: (-np.nan_to_num(columns.readings[each]), names[each]))
    return sorted(slots, key=names.__getitem__)


def state_of(columns: SensorColumns, slot: int) -> str:
    """The state of a sensor: a word of `STATES`."""
    if slot in columns.quiet:
        return "muted"
    if slot in columns.silent:
        return "silent"
    if slot in columns.open:
        return "open"
    return "ok" if columns.readings[slot] > 0 else "new"


def sensor_row(columns: SensorColumns, slot: int, how: SensorMonitoring) -> dict[str, Any]:
    """A sensor's row in the list; times in milliseconds since the epoch."""
    has_value = bool(columns.readings[slot] > 0)
    interval = float(columns.interval[slot]) if columns.interval[slot] > 0 else 0.0
    return {
        "sensor": columns.names[slot],
        "state": state_of(columns, slot),
        "severity": columns.open.get(slot, 0),
        "value": float(columns.value[slot]) if has_value else None,
        "unit": how.unit,
        "time": round(1000 * float(columns.time[slot])) if has_value else None,
        "interval": interval,
        "readings": int(np.nan_to_num(columns.readings[slot])),
        "watched": round(float(np.nan_to_num(columns.watched[slot]))),
        "learned": how.learned,
        "level": how.level,
        "detectors": how.detectors,
        "limits": how.limits,
        "device": how.device or "",
    }
