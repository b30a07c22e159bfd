"""The tables about devices: which sensors belong together, and their combined monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from config.notation.topics import LONGEST_NAME, glob_pattern
from config.tables.common.fields import Table, checked
from config.tables.common.texts import Glob
from config.tables.detection import IncidentSettings
from detectors import DEVICE_DETECTORS
from detectors.multivariate.base import VectorDetector

DetectorName = Literal["correlation", "shift"]


def _name_problem(name: str) -> str | None:
    """The problem with the name of a device, or None; it must differ from any sensor's."""
    if len(name.encode()) >= LONGEST_NAME:
        return f"must have less than {LONGEST_NAME} bytes"
    if any(not level or level != level.strip() for level in name.split("/")) or not name.isprintable():
        return "must have no level that is empty or begins or ends with a space, and no control characters"
    return None


class DeviceTable(Table, kw_only=True):
    """Sensors that belong together: one device, or one for each name without its last level."""

    sensors: Annotated[tuple[Glob, ...], Meta(min_length=1, max_length=1000, description="Globs of sensor names")]
    name: Annotated[
        Annotated[str, checked(_name_problem)] | None,
        Meta(
            description="Name of the device that all of them form;"
            " by default names without their last level are devices"
        ),
    ] = None
    description: Annotated[str, Meta(max_length=1000, description="A description for people")] = ""
    labels: Annotated[dict[str, str], Meta(description="Labels that are added to the device's events")] = field(
        default_factory=dict
    )
    detectors: Annotated[tuple[DetectorName, ...], Meta(min_length=1, description="The detectors of the device")] = (
        "correlation",
        "shift",
    )
    channels: Annotated[
        int,
        Meta(
            ge=2,
            le=64,
            description="Maximum number of sensors of a device that are monitored together; the first ones found",
        ),
    ] = 16
    warm_up: Annotated[
        int, Meta(ge=200, le=1_000_000, description="Number of rows to learn from before the device is scored")
    ] = 2000
    hold_s: Annotated[
        Annotated[float, Meta(gt=0, le=31_536_000)] | None,
        Meta(description="Age up to which a sensor's last value is used; by default three of its usual intervals"),
    ] = None
    incidents: IncidentSettings = field(default_factory=IncidentSettings)


@dataclass(frozen=True)
class ResolvedDevice:
    """A device table with all defaults filled in.

    Attributes:
        index: Index among the tables, from 0.
        sensors: Globs of its sensors.
        name: Name of its single device; None to derive devices from the sensors' names.
        detectors: The detectors of its devices.
        incidents: The incident settings.
        hold_s: Maximum age of a value in seconds; None for some usual intervals.
        labels: Labels added to events.
    """

    index: int
    sensors: tuple[str, ...]
    name: str | None
    detectors: tuple[VectorDetector, ...]
    incidents: IncidentSettings
    hold_s: float | None
    labels: dict[str, str]

    def device_of(self, sensor: str) -> str | None:
        """Name of the device that a sensor belongs to by this table, or None."""
        if not any(glob_pattern(each).fullmatch(sensor) for each in self.sensors):
            return None
        return self.name or sensor.rpartition("/")[0] or None

    def as_plain(self) -> dict[str, Any]:
        """The keys of the table that affect detection or events, as plain values."""
        first = self.detectors[0]
        return {
            "sensors": list(self.sensors),
            "name": self.name,
            "detectors": [each.name for each in self.detectors],
            "channels": first.channels,
            "warm_up": first.warm_up,
            "incidents": self.incidents.plain(),
            "hold_s": self.hold_s,
            "labels": self.labels,
        }


def resolve_devices(devices: tuple[DeviceTable, ...], incidents: IncidentSettings) -> tuple[ResolvedDevice, ...]:
    """The device tables with all defaults filled in."""
    return tuple(
        ResolvedDevice(
            index=index,
            sensors=each.sensors,
            name=each.name,
            detectors=tuple(
                detector(channels=each.channels, warm_up=each.warm_up)
                for name, detector in DEVICE_DETECTORS.items()
                if name in each.detectors
            ),
            incidents=incidents.changed_by(each.incidents),
            hold_s=each.hold_s,
            labels=dict(each.labels),
        )
        for index, each in enumerate(devices)
    )
