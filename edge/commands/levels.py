"""`edgewarden levels`: the raising levels of sensors and how they were determined."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from edge.commands.support.places import Place, reads_store
from edge.commands.support.values import SensorGlob, matching
from edge.core.model.notation.printable import printable
from edge.core.model.sensors.vacancies import is_vacant

if TYPE_CHECKING:
    from config.schema import Configuration
    from edge.core.persistence.snapshot import Snapshot


@click.command()
@click.argument("sensors", metavar="[GLOB]", type=SensorGlob(), required=False)
@reads_store
@click.option("--sensor", type=SensorGlob(), help="Same as GLOB.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def levels(place: Place, sensors: str | None, sensor: str | None, as_json: bool) -> None:
    """Show the raising level of each sensor's detectors, as of the last snapshot.

    Levels are in decades of surprise. A level is `fixed` by the configured threshold, `learned` from the sensor's own
    scores to meet the false-alarm budget, or, in the first hours, `assumed` from the sensor's interval. A learned level
    is computed from the largest excursions of the detector's scores, whose number is shown, and a correction in decades
    for the number of incidents raised, compared with the number that the detector's share of the budget allows for the
    observed days. It is never lower than the level required by chance alone.

    GLOB is a sensor's name or a glob: * matches within one level, ** any number of levels.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.places import one_glob  # noqa: PLC0415
    from edge.commands.support.printing.terminal import heading  # noqa: PLC0415
    from edge.shell.store.reading.overview import read_learned  # noqa: PLC0415

    glob = one_glob(sensors, sensor)
    with explained():
        configuration = place.configuration()
        found = read_learned(place.store())
        if found is None:
            click.echo(
                "No levels yet: they are read from the service's last snapshot. It writes the first one when it stops, "
                "or after some 100,000 readings.",
                err=True,
            )
            return
        snapshot, taken = found
        wanted = set(matching(glob, [name for name, *_ in snapshot.known_sensors() if not is_vacant(name)]))
    rows = [each for each in _rows(configuration, snapshot) if each["sensor"] in wanted]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    heading(f"{len(rows)} levels, as of {datetime.fromtimestamp(taken, UTC):%Y-%m-%d %H:%M:%S} UTC")
    names = [printable(row["sensor"]) for row in rows]
    widest = max(map(len, names), default=6)
    click.echo(f"  {'sensor':{widest}}  {'detector':11}  {'level':>6}  {'':7}  {'days':>7}  {'excursions':>10}  "
               f"{'correction':>10}  {'raised':>6}  {'allowed':>7}")  # fmt: skip
    for name, row in zip(names, rows, strict=True):
        click.echo(
            f"  {name:{widest}}  {row['detector']:11}  {row['level']:6.1f}  {row['how']:7}  "
            f"{row['days_watched']:7.1f}  {row['excursions']:10}  {row['correction']:+10.1f}  "
            f"{row['raised']:6}  {row['allowed']:7.1f}"
        )


def _rows(configuration: Configuration, snapshot: Snapshot) -> list[dict[str, Any]]:
    from edge.commands.support.sensor_rows import learned_of  # noqa: PLC0415 - loaded when the command runs
    from edge.core.scoring.learning_progress import level_of  # noqa: PLC0415
    from edge.core.scoring.levels.alarm_levels import SHARE  # noqa: PLC0415
    from edge.core.scoring.profiles import Profile  # noqa: PLC0415

    sensors, statistics, levels = learned_of(snapshot)
    rows = []
    for slot, (name, *_) in enumerate(sensors):
        rule = configuration.rule_for(name)
        profile = Profile(rule.detectors, rule.incidents)
        watched = float(levels.watched[slot]) / 86_400
        allowed = watched * rule.incidents.false_alarms_per_sensor_per_day * SHARE
        for detector, calibration in levels.by_detector.items():
            if calibration.level[slot] <= 0:
                continue
            known = calibration.level[slot], levels.assumed[slot], statistics.interval[slot]
            level, how = level_of(profile, *map(float, known))
            rows.append(
                {
                    "sensor": name,
                    "detector": detector,
                    "level": round(level, 3),
                    "how": how,
                    "days_watched": round(watched, 3),
                    "excursions": int((calibration.peaks[slot] > 0).sum()),
                    "correction": round(float(calibration.correction[slot]), 3),
                    "raised": int(calibration.incidents[slot]),
                    "allowed": round(allowed, 3),
                }
            )
    return rows
