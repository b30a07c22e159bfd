"""The sensor registry: profile and event metadata of each sensor and device, by slot."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from config.schema import IncidentSettings, ResolvedDevice, ResolvedRule
from edge.core.model.notation.topics import Topics, topic_for
from edge.core.model.sensors.no_values import NoValues
from edge.core.model.sensors.sensors import Repetition, SensorFacts, SensorTable, is_device
from edge.core.model.sensors.vacancies import is_vacant
from edge.core.scoring.devices import Devices
from edge.core.scoring.peers.like_names import peers_of
from edge.core.scoring.peers.peers import Peers
from edge.core.scoring.profiles import Profile

NEEDS_A_PERIOD = frozenset({"missing", "flatline"})
"""Kinds that don't apply to a sensor that reports irregularly or repeats its value."""

DEVICE = "device"
"""The label for the device that a sensor belongs to, in events."""

NOBODY = Profile((), IncidentSettings())
"""The profile of a vacant slot."""

RuleFor = Callable[[str], ResolvedRule]
DeviceFor = Callable[[str], tuple[str, ResolvedDevice] | None]


class SensorRegistry:
    """All monitored sensors and devices.

    Args:
        sensors: Their names.
        devices: Records which sensors form which device.
        topics: This gateway's own topics.
        rule_for: Returns the rule for a sensor by name.
        device_for: Returns name and settings of the device that a sensor belongs to, or None.

    Attributes:
        repetitions: The meaning of a repeated value, for each.
        no_values: Error values configured by rules and inputs.
        forsaken: Devices left without sensors at the start because the configuration changed. They have no detectors
            until the next start. Devices that report their availability need none.
        peers: Records which sensors are compared with each other.
        unit_said: Unit given by a sensor's payloads, used where no rule gives one.
    """

    def __init__(
        self, sensors: SensorTable, devices: Devices, topics: Topics, rule_for: RuleFor, device_for: DeviceFor
    ) -> None:
        self._sensors = sensors
        self._devices = devices
        self._topics = topics
        self._rule_for = rule_for
        self._device_for = device_for
        self._tables: dict[str, ResolvedDevice] = {}
        self._profiles: dict[int, Profile] = {}
        self._shared: dict[Profile, Profile] = {}
        self._facts: dict[int, SensorFacts] = {}
        self.repetitions: list[str] = []
        self.no_values = NoValues()
        self.peers = Peers()
        self.forsaken: set[int] = set()
        self.unit_said: Callable[[int], str] = lambda _: ""

    def add(self, slot: int, repetition: Repetition) -> None:
        """Add a sensor or device: in the next slot, or in a vacant one."""
        self.repetitions[slot : slot + 1] = [repetition.value]
        name = self._sensors.names[slot]
        if is_vacant(name):
            self._profiles[slot] = NOBODY
            return
        if is_device(name):
            self._profiles.pop(slot, None)
            self._devices.allot(name, slot)
            return
        rule, belongs_to = self._rule_for(name), self._device_for(name)
        self.no_values.rule(slot, rule.no_value)
        detectors = rule.detectors
        if repetition is not Repetition.PERIODIC:
            detectors = tuple(each for each in detectors if each.kind not in NEEDS_A_PERIOD)
        labels = rule.labels
        if belongs_to is not None and self._sensors.find(f"{belongs_to[0]}/") not in self.forsaken:
            device, table = belongs_to
            table = self._tables.setdefault(f"{device}/", table)
            self._devices.join(slot, f"{device}/", table.detectors[0].channels, table.hold_s)
            labels = {DEVICE: device, **labels}
        is_compared = any(each.scores_readings for each in detectors)
        self.peers.join(slot, peers_of(name, rule.unit, rule.peers) if is_compared else None)
        self.peers.accompany(slot, name if is_compared and rule.companions else None)
        profile = Profile(detectors, rule.incidents, rule.counter, rule.preferences)
        self._profiles[slot] = self._shared.setdefault(profile, profile)
        self._facts[slot] = self._facts_of(name, rule.unit, labels)

    def forget(self, slots: Iterable[int]) -> None:
        """Forget sensors and devices and vacate their slots."""
        for slot in slots:
            self._facts.pop(slot, None)
            self.forsaken.discard(slot)
            self.repetitions[slot] = Repetition.PERIODIC.value
            self.peers.join(slot, None)
            self.peers.accompany(slot, None)
            self._profiles[slot] = NOBODY

    def profile(self, slot: int) -> Profile:
        """The profile of a sensor or device. For a device, it is requested once all of its sensors are known."""
        if slot not in self._profiles:
            table = self._tables.get(self._sensors.names[slot])
            if table is None and self.repetitions[slot] != Repetition.ON_CHANGE.value:
                self.forsaken.add(slot)
            self._profiles[slot] = NOBODY if table is None else Profile(table.detectors, table.incidents)
        return self._profiles[slot]

    def facts(self, slot: int) -> SensorFacts:
        """Event fields of a sensor or device that don't depend on its readings."""
        if slot not in self._facts:
            name = self._sensors.names[slot]
            table = self._tables.get(name)
            labels = {DEVICE: name.rstrip("/"), **(table.labels if table is not None else {})}
            self._facts[slot] = self._facts_of(name, "", labels)
        facts = self._facts[slot]
        return facts if facts.unit else facts._replace(unit=self.unit_said(slot))

    def device_of(self, slot: int) -> str | None:
        """Name of the device that a sensor belongs to, without the slash; None if there is none."""
        belongs_to = self._device_for(self._sensors.names[slot])
        return None if belongs_to is None else belongs_to[0]

    def _facts_of(self, name: str, unit: str, labels: dict[str, str]) -> SensorFacts:
        return SensorFacts(name, topic_for(name, self._topics.anomaly("")), unit, labels)
