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
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from config.notation.preferences import NONE, Direction, ReportingPreferences
from config.notation.topics import glob_pattern, glob_problem
from config.problems import suggestion
from config.tables.fields import FieldFault, Table, checked, refuse_all
from detectors import DETECTORS
from detectors.base import Detector
from detectors.parameters import ParameterError, ParameterInfo, parameters_of

EVERY_SENSOR = "**"
DEFAULT_PRESET = "default"


class IncidentSettings(Table):
    """How a sensor's scores become incidents."""

    false_alarms_per_sensor_per_day: float = Field(
        0.1,
        gt=0,
        le=100,
        description="False alarms allowed per sensor and day; determines the raising levels",
    )
    threshold: float | None = Field(
        None,
        ge=1,
        le=100,
        description="Fixed raising level in decades of surprise, instead of one computed from the false alarms allowed",
    )
    raise_after: int = Field(
        1,
        ge=1,
        le=1000,
        description="Consecutive readings at the raising level, or beyond a limit, that raise an incident",
    )
    clear_ratio: float = Field(
        0.5, gt=0, le=1, description="Readings with scores below this fraction of the raising level are calm"
    )
    clear_after: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Consecutive calm readings, or readings within a limit, that clear an incident",
    )
    adopt_after_s: float = Field(
        64_800,
        ge=1,
        le=31_536_000,
        description="Age at which an incident ends and its level is adopted as normal; less for a new sensor",
    )
    update_s: float = Field(60, ge=0, le=86_400, description="Minimum time between two updates")

    def changed_by(self, other: IncidentSettings) -> IncidentSettings:
        """These settings overridden by those set in `other`; a budget set there replaces a threshold set here."""
        given = {name: getattr(other, name) for name in other.model_fields_set}
        if "false_alarms_per_sensor_per_day" in given:
            given.setdefault("threshold", None)
        return self.model_copy(update=given)


class DetectorSettings(Table):
    """A detector's switch; the models of the detectors add their parameters."""

    enabled: bool = Field(True, description="Whether the detector is used")


def _field_of(parameter: ParameterInfo) -> tuple[Any, Any]:
    unset = isinstance(parameter.default, float) and math.isnan(parameter.default)
    field = Field(
        default=None if unset else parameter.default,
        description=parameter.doc,
        gt=parameter.range.above,
        lt=parameter.range.below,
        ge=parameter.range.at_least,
        le=parameter.range.at_most,
        json_schema_extra={"unit": parameter.unit} if parameter.unit else None,
    )
    kind: Any = Literal[parameter.words] if parameter.words else parameter.kind
    return (kind | None if unset else kind), field


def _settings_of(detector: type[Detector]) -> type[DetectorSettings]:
    keys: dict[str, Any] = {each.name: _field_of(each) for each in parameters_of(detector)}
    promise = (detector.__doc__ or "").strip().partition("\n")[0]
    return create_model(detector.__name__, __base__=DetectorSettings, __doc__=promise, **keys)


class _NoDetectors(Table):
    """Which detectors are used, and their parameters."""


_one_table_each: dict[str, Any] = {
    name: (_settings_of(detector) | None, Field(None, description=f"The detector {name}"))
    for name, detector in DETECTORS.items()
}
DetectorTables = create_model("Detectors", __base__=_NoDetectors, **_one_table_each)


def _choices(tables: Table) -> dict[str, DetectorSettings]:
    """The detectors with a table, by name."""
    given = {name: getattr(tables, name) for name in tables.model_fields_set}
    return {name: each for name, each in given.items() if each is not None}


class Preset(Table):
    """A choice of detectors for a kind of sensor."""

    description: str
    counter: bool | None = None
    detectors: DetectorTables = Field(default_factory=DetectorTables)


@cache
def presets() -> Mapping[str, Preset]:
    """The included presets by name."""
    folder = files("config").joinpath("presets")
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda each: each.name)
    return {
        each.name.removesuffix(".toml"): Preset.model_validate(tomllib.loads(each.read_text("utf-8"))) for each in found
    }


def _preset_problem(name: str) -> str | None:
    return None if name in presets() else f"isn't a preset{suggestion(name, presets())}"


def _make_detectors(preset: Preset, own: Table) -> tuple[tuple[Detector, ...], list[FieldFault]]:
    """A preset's detectors with a rule's changes, in the registry's order, and their errors."""
    shipped, changes = _choices(preset.detectors), _choices(own)
    made: list[Detector] = []
    faults: list[FieldFault] = []
    for name, detector in DETECTORS.items():
        given = [each[name] for each in (shipped, changes) if name in each]
        if not given or not given[-1].enabled:
            continue
        values = {key: getattr(each, key) for each in given for key in each.model_fields_set - {"enabled"}}
        try:
            made.append(detector(**values))
        except ParameterError as error:
            message = str(error).removeprefix(f"{error.parameter}: ")
            faults.append(FieldFault(("detectors", name, error.parameter), message))
        except ValueError as error:
            faults.append(FieldFault(("detectors", name), str(error)))
    return tuple(made), faults


PeerGlobs = Annotated[
    tuple[Annotated[str, checked(glob_problem)], ...], Field(strict=False, min_length=1, max_length=1000)
]


class Rule(Table):
    """A rule: how the sensors that match a glob are watched."""

    sensors: Annotated[str, checked(glob_problem)] = Field(description="Glob of sensor names")
    preset: Annotated[str, checked(_preset_problem)] = Field(
        DEFAULT_PRESET, description="The preset of detectors to start from"
    )
    description: str = Field("", max_length=1000, description="A description for people")
    unit: str = Field("", max_length=32, description="Unit of the values")
    counter: bool | None = Field(
        None,
        description="Whether it is a counter, whose rate is monitored; by default set by the preset or detected",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Labels that are added to events")
    direction: Direction = Field(
        "both", description="Whether values above or below the expected ones are reported, or both"
    )
    least: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="Smallest deviation to report, in the sensor's unit"
    )
    weight: float = Field(
        1.0, ge=0.1, le=10, description="Importance: each doubling raises the severity of incidents by 250"
    )
    no_value: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = Field(
        (), strict=False, max_length=1000, description="Error values: numbers that aren't readings"
    )
    peers: bool | PeerGlobs = Field(
        True,
        description="Whether these sensors are compared with those of like names, or globs of names to compare",
    )
    detectors: DetectorTables = Field(default_factory=DetectorTables)
    incidents: IncidentSettings = Field(default_factory=IncidentSettings)

    @model_validator(mode="after")
    def _detectors_can_be_made(self) -> Rule:
        _, faults = _make_detectors(presets()[self.preset], self.detectors)
        if faults:
            raise refuse_all(faults)
        return self


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

    def matches(self, sensor: str) -> bool:
        """Whether the rule's glob matches a sensor's name."""
        return glob_pattern(self.name).fullmatch(sensor) is not None

    def as_plain(self) -> dict[str, Any]:
        """The keys of the rule that affect detection or events, as plain values."""
        return {
            "name": self.name,
            "detectors": [{"name": each.name, **_plain(each)} for each in self.detectors],
            "incidents": self.incidents.model_dump(mode="json"),
            "unit": self.unit,
            "labels": self.labels,
            **({"no_value": self.no_value} if self.no_value else {}),
            **({} if self.counter is None else {"counter": self.counter}),
            **self.preferences.as_plain(),
            **({} if self.peers is True else {"peers": self.peers}),
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
            )
        )
    return tuple(resolved)
