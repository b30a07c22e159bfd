"""The state of each sensor: the newest snapshot, updated by the journal since."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.core.model.notation.quantities import rounded_alike
from edge.core.persistence.journal import Readings, forgotten_by, join

if TYPE_CHECKING:
    from config.schema import Configuration
    from edge.core.model.sensors.units import Units
    from edge.core.persistence.snapshot import Snapshot
    from edge.core.scoring.levels.alarm_levels import AlarmLevels
    from edge.core.scoring.sensors.sensor_statistics import SensorStatistics
    from edge.shell.store.reading.overview import StoreState

Column = NDArray[np.float64]

UNKNOWN = "unknown"

COLUMNS = ("slots", "times", "values")


def learned_of(snapshot: Snapshot) -> tuple[list[tuple[str, str]], SensorStatistics, AlarmLevels]:
    """A snapshot's sensors by slot, with name and meaning of a repeated value; their statistics and levels."""
    from edge.core.persistence.checkpoint import by_row, load  # noqa: PLC0415
    from edge.core.scoring.levels.alarm_levels import AlarmLevels  # noqa: PLC0415 - loaded when a command runs
    from edge.core.scoring.sensors.sensor_statistics import SensorStatistics  # noqa: PLC0415

    calibration, statistics = AlarmLevels(), SensorStatistics()
    sensors = [(name, repetition) for name, repetition, _ in snapshot.known_sensors()]
    calibration.grow(len(sensors))
    statistics.grow(len(sensors))
    load(
        [by_row("statistics", statistics, sensors.__len__), by_row("levels", calibration, sensors.__len__)],
        snapshot.parts,
    )
    return sensors, statistics, calibration


def present_slots(state: StoreState) -> list[int]:
    """The slots of existing sensors, in order, without devices and forgotten sensors."""
    from edge.core.model.sensors.sensors import is_device  # noqa: PLC0415 - loaded when a command runs
    from edge.core.model.sensors.vacancies import is_vacant  # noqa: PLC0415

    gone = {slot for part in state.since for slot in forgotten_by(part)}
    return [
        slot
        for slot, (name, _) in enumerate(_names(state))
        if not is_device(name) and not is_vacant(name) and slot not in gone
    ]


def _names(state: StoreState) -> list[tuple[str, str]]:
    """Name of each slot, and meaning of a repeated value."""
    known = [] if state.snapshot is None else state.snapshot.known_sensors()
    parts = [each for each in state.since if isinstance(each, Readings)]
    names = [(name, repetition) for name, repetition, _ in known]
    names += [(name, repetition) for part in parts for name, repetition, _ in part.new_sensors]
    for part in parts:
        for slot, name, repetition, _ in part.refilled:
            names[slot] = name, repetition
    return names


def _units(state: StoreState) -> Units:
    """The units given by the sensors' payloads."""
    from edge.core.model.sensors.units import Units  # noqa: PLC0415 - loaded when a command runs
    from edge.core.persistence.checkpoint import load, whole  # noqa: PLC0415

    units = Units()
    if state.snapshot is not None:
        load([whole("units", units)], state.snapshot.parts)
    for part in state.since:
        for slot in forgotten_by(part):
            units.forget(slot)
        if isinstance(part, Readings):
            units.note_all(part.units)
    return units


def sensor_rows(
    state: StoreState,
    configuration: Configuration | None,
    recognised: Mapping[int, list[float]] | None = None,
    counters: Mapping[int, tuple[float, float]] | None = None,
) -> list[dict[str, Any]]:
    """Every sensor in order of appearance, as plain values.

    Args:
        state: The stored state.
        configuration: Contains the rules of sensors; None if not available.
        recognised: State values of sensors with states, by slot; None if not determined.
        counters: Time unit of the pace and minimum stretch of counters in seconds, by slot; None if not determined.
    """
    from edge.core.scoring.learning_progress import learned_word, level_of, lowest_levels  # noqa: PLC0415 - for the same reason
    from edge.core.scoring.profiles import Profile  # noqa: PLC0415

    columns: list[Column] = [np.zeros(0)] * 7
    if state.snapshot is not None:
        known, statistics, calibration = learned_of(state.snapshot)
        columns = [statistics.count.astype(np.float64), statistics.time, statistics.value, statistics.interval]
        columns += [lowest_levels(calibration, len(known)), calibration.assumed, calibration.watched]
        columns = [each[: len(known)] for each in columns]
    parts = [each for each in state.since if isinstance(each, Readings)]
    names = _names(state)
    size = len(names)
    count, time, value, interval, levels, assumed, watched = (
        np.concatenate([each, np.zeros(size - len(each))]) for each in columns
    )
    _bring_up_to_date(parts, count, time, value, interval)
    units = _units(state)
    found = []
    for slot in present_slots(state):
        name, repetition = names[slot]
        row: dict[str, Any] = {
            "sensor": name,
            "value": float(value[slot]) if count[slot] else None,
            "time": float(time[slot]) if count[slot] else None,
            "interval_s": float(f"{interval[slot]:.4g}") if interval[slot] > 0 else None,
            "readings": int(count[slot]),
            "days_watched": round(float(watched[slot]) / 86_400, 3),
        }
        row |= _watched(configuration, name, repetition)
        row["unit"] = row["unit"] or units.of(slot)
        if recognised is not None:
            row["states"] = rounded_alike(recognised.get(slot, []))
        if counters is not None:
            row["counter"] = _counter(row, counters.get(slot), configuration, name)
        how = UNKNOWN
        if configuration is not None:
            rule = configuration.rule_for(name)
            profile = Profile(rule.detectors, rule.incidents)
            level, how = level_of(profile, float(levels[slot]), float(assumed[slot]), float(interval[slot]))
            row["level"] = round(level, 3)
        row["learned"] = learned_word(int(count[slot]), how)
        found.append(row)
    _add_peers(found, configuration)
    _add_companions(found, configuration)
    return found


def _add_peers(rows: list[dict[str, Any]], configuration: Configuration | None) -> None:
    """Add the sensors with which each is compared."""
    from edge.core.scoring.peers.like_names import peers_of  # noqa: PLC0415 - loaded when a command runs

    groups: dict[str, list[str]] = {}
    for row in rows:
        if configuration is None:
            break
        rule = configuration.rule_for(row["sensor"])
        row["group"] = peers_of(row["sensor"], rule.unit, rule.peers) if rule.detectors else None
        if row["group"] is not None:
            groups.setdefault(row["group"], []).append(row["sensor"])
    for row in rows:
        row["peers"] = [each for each in groups.get(row.pop("group", None) or "", ()) if each != row["sensor"]]


def _add_companions(rows: list[dict[str, Any]], configuration: Configuration | None) -> None:
    """Add the other sensors of the device that each one's name shows, if they are compared."""
    from edge.core.scoring.peers.companions import FEWEST, MOST  # noqa: PLC0415 - loaded when a command runs

    devices: dict[str, list[str]] = {}
    for row in rows:
        if configuration is None:
            break
        rule = configuration.rule_for(row["sensor"])
        device = row["sensor"].rpartition("/")[0]
        is_compared = rule.companions and any(each.scores_readings for each in rule.detectors)
        if device and is_compared and row["device"] is None:
            devices.setdefault(device, []).append(row["sensor"])
    for row in rows:
        members = devices.get(row["sensor"].rpartition("/")[0], [])
        compared = row["sensor"] in members and FEWEST <= len(members) <= MOST
        row["companions"] = [each for each in members if each != row["sensor"]] if compared else []


def _counter(
    row: dict[str, Any], known: tuple[float, float] | None, configuration: Configuration | None, name: str
) -> dict[str, Any] | None:
    """How a counter is monitored, and why it is one; None if it isn't a counter."""
    from edge.core.incidents.sentences.pace_sentences import pace_unit  # noqa: PLC0415 - loaded when a command runs

    by_rule = None if configuration is None else configuration.rule_for(name).counter
    if known is None and not by_rule:
        return None
    by = "the rule" if by_rule else "it only rises"
    if known is None:
        return {"by": by, "unit": None, "stretch_s": None}
    per, width = known
    return {"by": by, "unit": pace_unit(row["unit"], per), "stretch_s": max(width, row["interval_s"] or 0.0)}


def _bring_up_to_date(
    parts: list[Readings],
    count: Column,
    time: Column,
    value: Column,
    interval: Column,
) -> None:
    """Add the journal's readings, except late and duplicate ones, which no detector has seen."""
    from detectors.base import TOGETHER_S  # noqa: PLC0415 - loaded when a command runs
    from edge.core.intake.times.admission import TAKEN, Admission, RecordedArrivals  # noqa: PLC0415

    if not parts:
        return
    size, admission = len(count), Admission()
    admission.grow(size)
    known = np.flatnonzero(count)
    admission.last_time[known] = time[known]
    admission.same.note(known, value[known], time[known])
    batches = []
    for part in join(parts):
        if isinstance(part, Readings):
            batch = part.batch.take(part.batch.slots < size)
            batch, verdicts = admission.admit(batch, RecordedArrivals(part.late))
            batches.append(batch if verdicts is None else batch.take(verdicts == TAKEN))
    slots, times, values = (np.concatenate([getattr(each, name) for each in batches]) for name in COLUMNS)
    order = np.argsort(slots, kind="stable")  # by sensor, and within each as they arrived
    slots, times, values = slots[order], times[order], values[order]
    present, first = np.unique(slots, return_index=True)
    for slot, begin, end in zip(present.tolist(), first.tolist(), [*first[1:].tolist(), len(slots)], strict=True):
        count[slot] += end - begin
        time[slot], value[slot] = times[end - 1], values[end - 1]
        gaps = np.diff(times[begin:end])
        gaps = gaps[gaps > TOGETHER_S]
        if interval[slot] <= 0 and len(gaps):
            interval[slot] = float(np.median(gaps))


def _watched(configuration: Configuration | None, name: str, repetition: str) -> dict[str, Any]:
    """How a sensor is monitored: unit, rule, detectors, limits, device."""
    if configuration is None:
        return {"unit": "", "rule": None, "detectors": None, "limits": None, "device": None}
    from edge.core.model.sensors.sensors import Repetition  # noqa: PLC0415 - loaded when a command runs
    from edge.core.scoring.sensors.sensor_registry import NEEDS_A_PERIOD  # noqa: PLC0415

    rule, device = configuration.rule_for(name), configuration.device_for(name)
    periodic = Repetition(repetition) is Repetition.PERIODIC
    detectors = [each for each in rule.detectors if periodic or each.kind not in NEEDS_A_PERIOD]
    limits = {
        end: bound
        for each in detectors
        if each.name == "limits"
        for end in ("low_critical", "low", "high", "high_critical")
        if math.isfinite(bound := getattr(each, end))
    }
    return {
        "unit": rule.unit,
        "rule": rule.name if rule.index < len(configuration.rules) else None,
        "detectors": [each.name for each in detectors],
        "limits": limits or None,
        "device": None if device is None else device[0],
    }
