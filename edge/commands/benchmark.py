"""`edgewarden benchmark`: measures detectors on public benchmarks, from a local copy, and on data of your own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from detectors import DETECTORS
from detectors.base import Detector
from edge.commands.support.detector_choice import check_detector
from edge.commands.support.places import other_config_option
from edge.commands.support.printing.terminal import heading

if TYPE_CHECKING:
    from edge.evaluation.budget import Cost
    from edge.evaluation.nab import NabSeries


@click.group()
def benchmark() -> None:
    """Measure detectors on public benchmarks and your own data.

    The data isn't included. Get a copy of it, and specify its folder.
    """


@benchmark.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--detector", "name", default="contextual", show_default=True, callback=check_detector,
              help="The detector to measure.")  # fmt: skip
@other_config_option("Configuration with its parameters.")
@click.option("--threshold", type=click.FloatRange(0.1, 300), help="Decades of surprise that count as a detection.")
@click.option("--scores", type=click.Path(path_type=Path), help="Write the score of each row into this folder.")
def nab(path: Path, name: str, config_path: Path | None, threshold: float | None, scores: Path | None) -> None:
    """Measure a detector on the Numenta Anomaly Benchmark.

    PATH is a copy of github.com/numenta/NAB. Every file is read once, from its first row to its last, and each row is
    scored by the rows before it. The score at the fixed threshold is what users get; that at the best threshold is what
    NAB's leaderboard shows.
    """
    from edge.evaluation import nab as benchmark_nab  # noqa: PLC0415 - loaded when the command runs
    from edge.evaluation.nab_scoring import PROFILES, at_threshold, best_threshold  # noqa: PLC0415

    detector = _detector(name, config_path)
    limit = benchmark_nab.THRESHOLD if threshold is None else threshold
    series = _nab_series(path)
    surprise = benchmark_nab.run(detector, series)
    judged = [benchmark_nab.detections(each, limit) for each in surprise]
    if scores is not None:
        benchmark_nab.write_scores(scores, series, judged)
    files = [(each.truth, column) for each, column in zip(series, judged, strict=True)]
    heading(f"{name} on {len(series)} files, {sum(len(each) for each in judged)} rows")
    click.echo(f"  {'':20}  {'fixed':>6}  {'hit':>7}  {'false':>5}  {'best':>6}  {'at':>5}")
    for profile in PROFILES:
        fixed, best = at_threshold(files, 0.5, profile), best_threshold(files, profile)
        hit = f"{fixed.hits}/{fixed.windows}"
        click.echo(
            f"  {profile.name:20}  {fixed.score:6.2f}  {hit:>7}  {fixed.false_rows:5}  "
            f"{best.score:6.2f}  {best.threshold:5.3f}"
        )
    names = "".join(f"{name:>13}" for name, _ in benchmark_nab.PUBLISHED)
    click.echo(f"\n  {'published, 58 files':20}{names}")
    for place, profile in enumerate(PROFILES):
        click.echo(
            f"  {profile.name:20}" + "".join(f"{figures[place]:13.1f}" for _, figures in benchmark_nab.PUBLISHED)
        )
    click.echo(f"\n  A score of 0.5 is the fixed threshold, {limit:g} decades of surprise.")


@benchmark.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--threshold", type=float, help="Decades of surprise that count as an outlier.")
@click.option("--scores", type=click.Path(path_type=Path), help="Write the outcome of each row into this folder.")
def skab(path: Path, threshold: float | None, scores: Path | None) -> None:
    """Measure a device's detectors on the Skoltech benchmark.

    PATH is a copy of github.com/waico/SKAB. The first 400 rows of each file are learned, the others scored.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.evaluation import skab as benchmark_skab  # noqa: PLC0415 - loaded when the command runs
    from edge.evaluation.nab_scoring import PROFILES  # noqa: PLC0415

    limit = benchmark_skab.THRESHOLD if threshold is None else threshold
    with explained():
        experiments = benchmark_skab.read_folder(path)
        judged = [benchmark_skab.judge(each, limit) for each in experiments]
    if scores is not None:
        benchmark_skab.write_scores(scores, experiments, judged)
    figures = benchmark_skab.figures(experiments, judged)
    heading(f"outliers in {len(experiments)} files, at {limit:g} decades of surprise")
    click.echo(f"  F1 {figures.f1:.3f}  false alarms {figures.false_alarms:.1f} %  missed {figures.missed:.1f} %")
    for name, f1, false_alarms, missed in benchmark_skab.PUBLISHED:
        click.echo(f"     {f1:.2f}                {false_alarms:5.1f} %         {missed:4.1f} %   {name}, published")
    heading("changes, by NAB's rules, 60 seconds from each on")
    for profile, result in zip(PROFILES, benchmark_skab.changes(experiments, judged), strict=True):
        click.echo(
            f"  {profile.name:20}  {result.score:6.2f}  {result.hits}/{result.windows} told  {result.false_rows} false"
        )


@benchmark.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--detector", "name", default="contextual", show_default=True, callback=check_detector,
              help="The detector to measure.")  # fmt: skip
@other_config_option("Configuration with its parameters.")
@click.option("--threshold", type=click.FloatRange(0.1, 300), help="Decades of surprise that open an incident.")
@click.option("--scores", type=click.Path(path_type=Path), help="Write the surprise of each row into this folder.")
def files(path: Path, name: str, config_path: Path | None, threshold: float | None, scores: Path | None) -> None:
    """Measure a detector on files of your own.

    PATH is a folder of CSV files with the columns timestamp and value; with a column label, 1 in anomalous rows and 0
    in others, their separation is reported. Nothing is learned during an incident, as in the service.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.evaluation import own  # noqa: PLC0415 - loaded when the command runs
    from edge.evaluation.nab import THRESHOLD  # noqa: PLC0415

    detector = _detector(name, config_path)
    limit = THRESHOLD if threshold is None else threshold
    with explained():
        series = own.read_folder(path)
    heading(f"{name} on {len(series)} files")
    for each in series:
        decades = own.run(detector, each, limit)
        if scores is not None:
            own.write_scores(scores, each, decades)
        summary = f"{int((decades >= limit).sum())} of {len(decades)} rows at {limit:g} decades or more"
        if each.labels is not None and each.labels.any():
            summary += f"; area under precision and recall {own.average_precision(decades, each.labels):.3f}"
        click.echo(f"  {each.name}: {summary}")


@benchmark.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("cases", nargs=-1)
@other_config_option("Configuration of all cases; default: shipped defaults.")
@click.option("--expert", is_flag=True, help="Run the cases that have an expert.toml, with that.")
@click.option("--details", is_flag=True, help="List everything wanted and unwanted with its sentence.")
@click.option("--json", "as_json", is_flag=True, help="Write the figures as one line of JSON.")
@click.option("--workers", type=click.IntRange(1), help="Number of processes; default: one per processor.")
def field(
    path: Path,
    cases: tuple[str, ...],
    config_path: Path | None,
    expert: bool,
    details: bool,
    as_json: bool,
    workers: int | None,
) -> None:
    """Measure whether incidents are what a person wants to be told.

    PATH contains a folder for each case, with readings.csv (time, sensor, value) and labels.csv (sensor, start, end,
    kind, within_s: what should be told, and within how many seconds); or with make.py, which is run to write both into
    the folder that it is given. CASES are the names of those to run; default: all. The readings are replayed as by
    `edgewarden replay`.
    """
    from edge.commands.support.backtests.field_runs import run_cases  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.commands.support.printing import field_table  # noqa: PLC0415
    from edge.evaluation.field_cases import cases_in  # noqa: PLC0415
    from edge.evaluation.field_judging import JudgedCase  # noqa: PLC0415
    from edge.shell.service.assembly.parts import load_or_default  # noqa: PLC0415

    if expert and config_path is not None:
        raise click.UsageError("give either --config or --expert")
    total, judged = JudgedCase(), dict[str, JudgedCase]()
    with explained():
        chosen = [each for each in cases_in(path, cases) if not expert or each.expert is not None]
        configs = [each.expert if expert else config_path for each in chosen]
        for config in set(configs):
            load_or_default(config, None)  # checked before anything is run
        if not as_json:
            heading(f"{len(chosen)} field cases")
            click.echo(field_table.HEADER)
        outcomes = run_cases(chosen, configs, workers or os.cpu_count() or 1)
        for case, outcome in zip(chosen, outcomes, strict=True):
            judged[case.name] = outcome
            total.add(outcome)
            if not as_json:
                click.echo(field_table.row(case.name, outcome))
                if details:
                    click.echo("".join(f"{line}\n" for line in field_table.details(outcome)), nl=False)
    click.echo(field_table.as_json(judged, total) if as_json else field_table.summary(total))


@benchmark.command()
@click.option(
    "--sensors", type=click.IntRange(1), default=200, show_default=True, help="Number of sensors of each kind."
)
@click.option("--days", type=click.IntRange(4), default=30, show_default=True, help="Simulated days.")
@click.option("--interval", type=click.FloatRange(0.1, 86_400), default=600.0, show_default=True,
              help="Seconds between two readings of a sensor.")  # fmt: skip
@click.option("--kind", "kinds", multiple=True, help="Only this kind of noise; may be given several times.")
@click.option("--seed", default=11, show_default=True, help="Seed of the noise.")
@click.option("--nab", "nab_path", type=click.Path(path_type=Path),
              help="Use the files without labelled anomalies of this copy of NAB instead of noise.")  # fmt: skip
@other_config_option("Configuration whose default settings apply.")
@click.option("--workers", type=click.IntRange(1), help="Number of processes; default: one per processor.")
def budget(
    sensors: int,
    days: int,
    interval: float,
    kinds: tuple[str, ...],
    seed: int,
    nab_path: Path | None,
    config_path: Path | None,
    workers: int | None,
) -> None:
    """Measure whether false alarms stay within the budget.

    Sensors without faults and with many kinds of noise are simulated for each budget. The first three days are counted
    separately. Exits with 1 if a kind exceeds a budget by more than a fifth and what chance may add, or has no later
    days to judge.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.evaluation import budget as benchmark_budget  # noqa: PLC0415 - loaded when the command runs
    from edge.evaluation.noises import KINDS  # noqa: PLC0415
    from edge.shell.service.assembly.parts import load_or_default  # noqa: PLC0415

    unknown = sorted(set(kinds) - KINDS.keys())
    if unknown:
        raise click.BadParameter(f"there is no noise {unknown[0]}; known: {', '.join(KINDS)}", param_hint="--kind")
    with explained():
        rule = load_or_default(config_path, None).rule_for("benchmark")
    if nab_path is not None:
        series = [each for each in _nab_series(nab_path) if not each.truth.windows]
        heading("false incidents a day on files without a labelled anomaly")
        rows = iter([benchmark_budget.measure_files(rule, series)])
    else:
        heading(f"false incidents a sensor-day, {sensors} sensors of each kind over {days} days")
        plan = benchmark_budget.Plan(rule, sensors, days, interval, seed)
        rows = benchmark_budget.measure(plan, kinds, workers or os.cpu_count() or 1)
    asked = "".join(f"{each:>9g}" for each in benchmark_budget.BUDGETS)
    click.echo(f"  {'asked for':30}{asked}   in the first 3 days")
    missed = unjudged = 0
    for row in rows:
        missed += sum(each.is_judged and not each.holds for each in row)
        unjudged += not row[0].is_judged
        came = "".join(_came(each) for each in row)
        early = "".join(f"{each.early:8.2f}" for each in row)
        click.echo(f"  {row[0].kind:30}{came}  {early}")
    click.echo(f"\n  * exceeds the budget by more than a fifth and what chance may add: {missed}")
    if unjudged:
        click.echo(f"  - not judged, as there are no readings after the first 3 days: {unjudged}")
    sys.exit(1 if missed or unjudged else 0)


@benchmark.command()
@click.option(
    "--sensors", type=click.IntRange(1), default=10, show_default=True, help="Number of sensors for each case."
)
@click.option("--seed", default=3, show_default=True, help="Seed of the noise.")
@other_config_option("Configuration whose default settings apply.")
def long(sensors: int, seed: int, config_path: Path | None) -> None:
    """Measure whether incidents last as long as faults.

    Faults of five kinds and two to twenty-four hours occur in sensors with seven kinds of noise after ten quiet days.
    Exits with 1 if incidents cover less than 60 % of the time of a kind of fault.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.evaluation.long_faults import ENOUGH, measure  # noqa: PLC0415 - loaded when the command runs
    from edge.shell.service.assembly.parts import load_or_default  # noqa: PLC0415

    with explained():
        rule = load_or_default(config_path, None).rule_for("benchmark")
    heading("faults that last for hours")
    click.echo(f"  {'':14}{'hours':>6}{'faults':>8}{'found':>7}{'covered':>9}{'over after':>12}{'aftermath':>11}")
    missed = 0
    for each in measure(rule, sensors=sensors, seed=seed):
        missed += each.covered < ENOUGH
        click.echo(
            f"  {each.fault:14}{each.hours:6g}{each.faults:8}{each.found:7.0%}{each.covered:9.0%}"
            f"{each.over_s / 60:8.0f} min{each.aftermath:11.3f}"
        )
    click.echo(
        f"\n  aftermath: false incidents a sensor-day in the two days after a fault; {missed} below {ENOUGH:.0%}"
    )
    sys.exit(1 if missed else 0)


def _came(cost: Cost) -> str:
    """The false incidents per sensor-day as a cell of the table."""
    return f"{cost.came:8.3f}{' ' if cost.holds else '*'}" if cost.is_judged else f"{'-':>8} "


def _nab_series(path: Path) -> list[NabSeries]:
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.evaluation.nab import read_folder  # noqa: PLC0415 - loaded when the command runs

    with explained():
        return read_folder(path)


def _detector(name: str, config_path: Path | None) -> Detector:
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.shell.service.assembly.parts import load_or_default  # noqa: PLC0415

    if config_path is None:
        return DETECTORS[name]()
    with explained():
        rule = load_or_default(config_path, None).rule_for("benchmark")
    found = next((each for each in rule.detectors if each.name == name), None)
    if found is None:
        raise click.BadParameter(f"{config_path} doesn't use {name} for any sensor", param_hint="--config")
    return found
