"""`edgewarden levels`: how surprising a sensor must be to raise an incident, and how that came about."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), default=Path("edgewarden.toml"), show_default=True,
              help="Configuration, for the place of the store and the budgets.")  # fmt: skip
@click.option("--store", type=click.Path(path_type=Path), help="Another store than the configuration's.")
@click.option("--sensor", default="*", help="Only sensors whose name fits this glob, such as 'line1/*'.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def levels(path: Path, store: Path | None, sensor: str, as_json: bool) -> None:
    """Show each sensor's raising level, as of the last snapshot.

    The level is in decades of surprise. It is `fixed` by the configuration's threshold, `learned` from the sensor's own
    scores so that the allowed false alarms come true, or, during its first hours, `assumed` from how often it reports.
    """
    from config.loading import load  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.failures import explained  # noqa: PLC0415
    from edge.commands.terminal import heading  # noqa: PLC0415
    from edge.shell.store.reading import read_snapshot  # noqa: PLC0415

    with explained():
        configuration = load(path)
        found = read_snapshot(store or configuration.store.path)
    if found is None:
        click.echo("Nothing has been learned yet.", err=True)
        return
    snapshot, taken = found
    rows = [each for each in _rows(configuration, snapshot) if fnmatchcase(each["sensor"], sensor)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    heading(f"{len(rows)} sensors, as of {datetime.fromtimestamp(taken, UTC):%Y-%m-%d %H:%M:%S} UTC")
    widest = max([len(row["sensor"]) for row in rows], default=6)
    click.echo(f"  {'sensor':{widest}}  {'level':>6}  {'':7}  {'days watched':>12}  {'raised':>7}  {'allowed':>7}")
    for row in rows:
        click.echo(
            f"  {row['sensor']:{widest}}  {row['level']:6.1f}  {row['how']:7}  {row['days_watched']:12.1f}  "
            f"{row['raised']:7.1f}  {row['allowed']:7.1f}"
        )


def _rows(configuration: Any, snapshot: Any) -> list[dict[str, Any]]:
    from edge.core.calibration import Calibration  # noqa: PLC0415 - loaded when the command runs
    from edge.core.groups import Profile  # noqa: PLC0415
    from edge.core.snapshot import unpack_arrays  # noqa: PLC0415
    from edge.core.vitals import Vitals  # noqa: PLC0415

    calibration, vitals = Calibration(), Vitals()
    calibration.grow(len(snapshot.sensors))
    vitals.grow(len(snapshot.sensors))
    unpack_arrays(vitals, snapshot.vitals)
    if snapshot.calibration:
        unpack_arrays(calibration, snapshot.calibration)
    rows = []
    for slot, (name, _) in enumerate(snapshot.sensors):
        rule = configuration.rule_for(name)
        settings, learned = rule.incidents, float(calibration.level[slot])
        assumed = float(Profile(rule.detectors, settings).level_at(vitals.interval[[slot]])[0])
        how = "fixed" if settings.threshold is not None else "assumed" if math.isnan(learned) else "learned"
        watched = float(calibration.watched[slot])
        rows.append(
            {
                "sensor": name,
                "level": round(learned if how == "learned" else assumed, 3),
                "how": how,
                "days_watched": round(watched, 3),
                "raised": round(float(calibration.incidents[slot]), 3),
                "allowed": round(watched * settings.false_alarms_per_sensor_per_day, 3),
            }
        )
    return rows
