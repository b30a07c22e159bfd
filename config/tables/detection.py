"""The tables about detection: detectors and their parameters, presets, rules, and incidents.

The models of detectors are generated from the detectors' declared parameters, so a new detector needs no change here. A
rule is a preset with changes: keys set in the rule take precedence.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from msgspec import Meta, defstruct, field

from config.notation.preferences import NONE, Direction, ReportingPreferences
from config.notation.topics import glob_pattern
from config.problems import suggestion
from config.tables.common.fields import FieldFault, InvalidValueError, Table, checked
from config.tables.common.texts import Glob
from config.tables.common.validation import validated
from detectors import DETECTORS
from detectors.base import Detector
from detectors.parameters import ParameterError, ParameterInfo, parameters_of

EVERY_SENSOR = "**"
DEFAULT_PRESET = "default"

PRESETS = Path(__file__).parents[1] / "presets"


class IncidentSettings(Table):
    """How a sensor's scores become incidents."""

    false_alarms_per_sensor_per_day: Annotated[
        float, Meta(gt=0, le=100, description="False alarms allowed per sensor and day; determines the raising levels")
    ] = 0.1
    threshold: Annotated[
        Annotated[float, Meta(ge=1, le=100)] | None,
        Meta(
            description="Fixed raising level in decades of surprise,"
            " instead of one computed from the false alarms allowed"
        ),
    ] = None
    raise_after: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Consecutive readings at the raising level, or beyond a limit, that raise an incident",
        ),
    ] = 1
    clear_ratio: Annotated[
        float, Meta(gt=0, le=1, description="Readings with scores below this fraction of the raising level are calm")
    ] = 0.5
    clear_after: Annotated[
        int,
        Meta(
            ge=1, le=10_000, description="Consecutive calm readings, or readings within a limit, that clear an incident"
        ),
    ] = 5
    adopt_after_s: Annotated[
        float,
        Meta(
            ge=1,
            le=31_536_000,
            description="Age at which an incident ends and its level is adopted as normal; less for a new sensor",
        ),
    ] = 64_800.0
    update_s: Annotated[float, Meta(ge=0, le=86_400, description="Minimum time between two updates")] = 60.0

    def changed_by(self, other: IncidentSettings) -> IncidentSettings:
        """These settings overridden by those set in `other`; a budget set there replaces a threshold set here."""
        given = {name: getattr(other, name) for name in other.given}
        if "false_alarms_per_sensor_per_day" in given:
            given.setdefault("threshold", None)
        return self.replaced(**given)


class DetectorSettings(Table):
    """A detector's switch; the models of the detectors add their parameters."""

    enabled: Annotated[bool, Meta(description="Whether the detector is used")] = True


def _field_of(parameter: ParameterInfo) -> tuple[str, Any, Any]:
    unset = isinstance(parameter.default, float) and math.isnan(parameter.default)
    within = parameter.range
    limits: dict[str, Any] = {"gt": within.above, "lt": within.below, "ge": within.at_least, "le": within.at_most}
    kind: Any = Literal[parameter.words] if parameter.words else Annotated[parameter.kind, Meta(**limits)]
    unit = {"unit": parameter.unit} if parameter.unit else None
    about = Meta(description=parameter.doc, extra_json_schema=unit)
    return parameter.name, Annotated[kind | None if unset else kind, about], None if unset else parameter.default


def _settings_of(detector: type[Detector]) -> type[DetectorSettings]:
    promise = (detector.__doc__ or "").strip().partition("\n")[0]
    fields = [_field_of(each) for each in parameters_of(detector)]
    made = defstruct(detector.__name__, fields, bases=(DetectorSettings,), namespace={"__doc__": promise}, kw_only=True)
    return cast("type[DetectorSettings]", made)


class _Detectors(Table):
    """Which detectors are used, and their parameters."""

    holds = "detector"


def _table_of(name: str, detector: type[Detector]) -> tuple[str, Any, None]:
    return name, Annotated[_settings_of(detector) | None, Meta(description=f"The detector {name}")], None


if TYPE_CHECKING:
    DetectorTables = _Detectors
else:
    _tables = [_table_of(name, detector) for name, detector in DETECTORS.items()]
    DetectorTables = defstruct("Detectors", _tables, bases=(_Detectors,), kw_only=True)


def _choices(tables: DetectorTables) -> dict[str, DetectorSettings]:
    """The detectors with a table, by name."""
    given = {name: getattr(tables, name) for name in tables.given}
    return {name: each for name, each in given.items() if each is not None}


class Preset(Table, kw_only=True):
    """A choice of detectors for a kind of sensor."""

    description: str
    counter: bool | None = None
    detectors: DetectorTables = field(default_factory=DetectorTables)


@cache
def presets() -> Mapping[str, Preset]:
    """The included presets by name."""
    found = sorted(PRESETS.glob("*.toml"))
    return {each.stem: validated(Preset, tomllib.loads(each.read_text("utf-8"))) for each in found}


def _preset_problem(name: str) -> str | None:
    return None if name in presets() else f"isn't a preset{suggestion(name, presets())}"


def _make_detectors(preset: Preset, own: DetectorTables) -> tuple[tuple[Detector, ...], list[FieldFault]]:
    """A preset's detectors with a rule's changes, in the registry's order, and their errors."""
    shipped, changes = _choices(preset.detectors), _choices(own)
    made: list[Detector] = []
    faults: list[FieldFault] = []
    for name, detector in DETECTORS.items():
        given = [each[name] for each in (shipped, changes) if name in each]
        if not given or not given[-1].enabled:
            continue
        values = {key: getattr(each, key) for each in given for key in each.given - {"enabled"}}
        try:
            made.append(detector(**values))
        except ParameterError as error:
            message = str(error).removeprefix(f"{error.parameter}: ")
            faults.append(FieldFault(("detectors", name, error.parameter), message))
        except ValueError as error:
            faults.append(FieldFault(("detectors", name), str(error)))
    return tuple(made), faults


PeerGlobs = Annotated[tuple[Glob, ...], Meta(min_length=1, max_length=1000)]


class Rule(Table, kw_only=True):
    """A rule: how the sensors that match a glob are watched."""

    sensors: Annotated[Glob, Meta(description="Glob of sensor names")]
    preset: Annotated[str, checked(_preset_problem), Meta(description="The preset of detectors to start from")] = (
        DEFAULT_PRESET
    )
    description: Annotated[str, Meta(max_length=1000, description="A description for people")] = ""
    unit: Annotated[str, Meta(max_length=32, description="Unit of the values")] = ""
    counter: Annotated[
        bool | None,
        Meta(description="Whether it is a counter, whose rate is monitored; by default set by the preset or detected"),
    ] = None
    labels: Annotated[dict[str, str], Meta(description="Labels that are added to events")] = field(default_factory=dict)
    direction: Annotated[
        Direction, Meta(description="Whether values above or below the expected ones are reported, or both")
    ] = "both"
    least: Annotated[float, Meta(ge=0, description="Smallest deviation to report, in the sensor's unit")] = 0.0
    weight: Annotated[
        float, Meta(ge=0.1, le=10, description="Importance: each doubling raises the severity of incidents by 250")
    ] = 1.0
    no_value: Annotated[
        tuple[float, ...], Meta(max_length=1000, description="Error values: numbers that aren't readings")
    ] = ()
    peers: Annotated[
        bool | PeerGlobs,
        Meta(description="Whether these sensors are compared with those of like names, or globs of names to compare"),
    ] = True
    companions: Annotated[
        bool, Meta(description="Whether these sensors are compared with the others of the device that their names show")
    ] = True
    detectors: DetectorTables = field(default_factory=DetectorTables)
    incidents: IncidentSettings = field(default_factory=IncidentSettings)

    def verify(self) -> None:
        """Refuse parameters of detectors that don't fit together."""
        _, faults = _make_detectors(presets()[self.preset], self.detectors)
        if faults:
            raise InvalidValueError(faults)


@dataclass(frozen=True)
class ResolvedRule:
    """A rule with all defaults filled in, shared by all sensors that it matches.

    Attributes:
        index: Index among the rules, from 0, including the implicit last one.
        name: Glob of the rule.
        preset: Preset on which it is based.
        description: Description for people; may be empty.
        detectors: Detectors in the registry's order; empty if its sensors aren't monitored.
        incidents: The incident settings.
        unit: Unit of the values; may be empty.
        labels: Labels added to events.
        no_value: Numbers that aren't readings.
        counter: Whether its sensors are counters; None to detect it.
        preferences: Which deviations to report, and the severity of incidents.
        peers: Whether its sensors are compared with those of like names, or globs of names to compare.
        companions: Whether its sensors are compared with the others of the device that their names show.
    """

    index: int
    name: str
    preset: str
    description: str
    detectors: tuple[Detector, ...]
    incidents: IncidentSettings
    unit: str
    labels: dict[str, str]
    no_value: tuple[float, ...] = ()
    counter: bool | None = None
    preferences: ReportingPreferences = NONE
    peers: bool | tuple[str, ...] = True
    companions: bool = True

    def matches(self, sensor: str) -> bool:
        """Whether the rule's glob matches a sensor's name."""
        return glob_pattern(self.name).fullmatch(sensor) is not None

    def as_plain(self) -> dict[str, Any]:
        """The keys of the rule that affect detection or events, as plain values."""
        return {
            "name": self.name,
            "detectors": [{"name": each.name, **_plain(each)} for each in self.detectors],
            "incidents": self.incidents.plain(),
            "unit": self.unit,
            "labels": self.labels,
            **({"no_value": self.no_value} if self.no_value else {}),
            **({} if self.counter is None else {"counter": self.counter}),
            **self.preferences.as_plain(),
            **({} if self.peers is True else {"peers": self.peers}),
            **({} if self.companions else {"companions": False}),
        }


def _plain(detector: Any) -> dict[str, Any]:
    values = asdict(detector)
    return {key: None if value != value else value for key, value in values.items()}  # noqa: PLR0124 - NaN is not set


def resolve(rules: tuple[Rule, ...], incidents: IncidentSettings) -> tuple[ResolvedRule, ...]:
    """The rules with all defaults filled in, followed by the implicit last one."""
    resolved = []
    for index, rule in enumerate((*rules, Rule(sensors=EVERY_SENSOR))):
        detectors, _ = _make_detectors(presets()[rule.preset], rule.detectors)
        resolved.append(
            ResolvedRule(
                index=index,
                name=rule.sensors,
                preset=rule.preset,
                description=rule.description,
                detectors=detectors,
                incidents=incidents.changed_by(rule.incidents),
                unit=rule.unit,
                labels=dict(rule.labels),
                no_value=rule.no_value,
                counter=presets()[rule.preset].counter if rule.counter is None else rule.counter,
                preferences=ReportingPreferences(rule.direction, rule.least, rule.weight),
                peers=rule.peers,
                companions=rule.companions,
            )
        )
    return tuple(resolved)
