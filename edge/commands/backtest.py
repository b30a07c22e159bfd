"""`edgewarden backtest`: compares configurations over recorded readings in a report."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.support.places import FILE, other_config_option
from edge.commands.support.printing.progress import Progress

if TYPE_CHECKING:
    from config.schema import Configuration
    from edge.reports.backtest import Backtest
    from edge.reports.judging import Rules
    from edge.reports.labels import Labels


@click.command()
@click.argument("files", nargs=-1, type=FILE)
@other_config_option(
    "Configuration; several are compared.  [default: the shipped defaults]", multiple=True, name="config_paths"
)
@click.option("--labels", "labels_path", type=FILE, help="Labels of the real faults; see above.")
@click.option("--journal", "--store", "journals", type=FILE, multiple=True, help="Read the journal of this store.")
@click.option("--joined", is_flag=True, help="The files are consecutive recordings of one plant.")
@click.option("--output", type=FILE, default=Path("backtest.html"), show_default=True, help="File of the report.")
@click.option("--png", "png_folder", type=FILE, help="Draw the plots into this folder as well; needs the extra 'plot'.")
@click.option("--budget", "budgets", type=click.FloatRange(0, 100, min_open=True), multiple=True,
              help="False alarms per sensor-day to count incidents for.  [default: 0.02 0.05 0.1 0.5 1]")  # fmt: skip
@click.option(
    "--plots", type=click.IntRange(0), default=100, show_default=True, help="Maximum number of sensors to draw."
)
@click.option("--grace", "grace_s", type=click.FloatRange(0), default=600.0, show_default=True, metavar="SECONDS",
              help="Time after a label's end during which it can still be found.")  # fmt: skip
@click.option("--recovery", "recovery_s", type=click.FloatRange(0), default=3600.0, show_default=True,
              metavar="SECONDS", help="Time after a label's end during which no incident is false.")  # fmt: skip
@click.option("--lenient", is_flag=True, help="Skip and count rows that can't be read.")
def backtest(
    files: tuple[Path, ...],
    config_paths: tuple[Path, ...],
    labels_path: Path | None,
    journals: tuple[Path, ...],
    joined: bool,
    output: Path,
    png_folder: Path | None,
    budgets: tuple[float, ...],
    plots: int,
    grace_s: float,
    recovery_s: float,
    lenient: bool,
) -> None:
    """Run configurations over CSV FILES and write an HTML report of their incidents.

    FILES have a column for the time and either the columns `sensor` and `value` or one column per sensor. Each file is
    a separate plant, unless --joined is given. The report is a single file and needs no network.

    With labels, the report counts found and missed faults and false incidents. Labels are given as JSON by file,
    `{"a.csv": [["start", "end"]]}`; as JSON lines or CSV with sensor, start and end, such as `edgewarden simulate
    --truth` writes; or in the files themselves, in a column `label` or `anomaly` of 0 and 1.
    """
    from edge.commands.support.backtests.backtest_labels import give_labels  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.backtests.backtest_runs import notes_on, run_all, sources_of  # noqa: PLC0415
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.reports.backtest import Backtest  # noqa: PLC0415
    from edge.reports.judging import Rules  # noqa: PLC0415
    from edge.reports.recording.budgets import BUDGETS  # noqa: PLC0415

    if not files and not journals:
        raise click.UsageError("give CSV files, or --journal STORE")
    if not output.absolute().parent.is_dir():
        raise click.UsageError(f"there is no folder {output.parent} to write {output.name} into")
    rules = Rules(grace_s, recovery_s)
    with explained(), Progress() as progress:
        if png_folder is not None:
            _prepare_pictures(png_folder)
        configurations = _configurations(config_paths)
        sources = sources_of(files, journals, joined=joined)
        labels = _labels(labels_path)
        if labels is not None:
            give_labels(sources, labels, str(labels_path), rules, progress)
        whole = Backtest([name for name, _ in configurations], sorted(set(budgets)) or BUDGETS, rules)
        for source in sources:
            dataset, problems = run_all(source, configurations, whole.budgets, progress, lenient=lenient)
            progress.clear()
            notes = notes_on(dataset, problems)
            if notes:
                click.echo(notes, err=True)
            whole.add(dataset)
        _say(whole)
        _write(whole, output, plots, _command(files, config_paths, labels_path, journals, rules))
        if png_folder is not None:
            _draw(whole, png_folder, plots, progress)
    click.echo(f"\n{output}" + (f", and pictures in {png_folder}" if png_folder is not None else ""))


def _configurations(paths: tuple[Path, ...]) -> list[tuple[str, Configuration]]:
    from edge.shell.service.assembly.parts import load_or_default  # noqa: PLC0415 - loaded when the command runs

    if not paths:
        return [("shipped defaults", load_or_default(None))]
    stems = [each.stem for each in paths]
    return [(each.stem if stems.count(each.stem) == 1 else str(each), load_or_default(each)) for each in paths]


def _labels(path: Path | None) -> Labels | None:
    from edge.reports.labels import LabelError, read_labels  # noqa: PLC0415 - loaded when the command runs

    if path is None:
        return None
    try:
        return read_labels(str(path), path.read_text("utf-8-sig"))
    except OSError as error:
        raise LabelError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: not UTF-8 text") from error


def _say(whole: Backtest) -> None:
    from edge.reports.summary import as_text, budget_rows, rows  # noqa: PLC0415 - loaded when the command runs

    totals = [whole.total(each) for each in range(len(whole.configurations))]
    click.echo(as_text(*rows(whole, totals)))
    click.echo()
    click.echo(as_text(*budget_rows(whole, totals)))


def _write(whole: Backtest, output: Path, plots: int, command: str) -> None:
    from edge.reports.page import page  # noqa: PLC0415 - loaded when the command runs
    from edge.version import VERSION  # noqa: PLC0415

    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(page(whole, plots=plots, command=command, version=VERSION))
        part.replace(output)
    except OSError as error:
        part.unlink(missing_ok=True)
        click.echo(f"edgewarden: {output}: {error.strerror or error}", err=True)
        sys.exit(1)


def _prepare_pictures(folder: Path) -> None:
    from edge.reports.png import PlotError, check_plotting  # noqa: PLC0415 - an extra

    try:
        check_plotting()
        folder.mkdir(parents=True, exist_ok=True)
    except (PlotError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _draw(whole: Backtest, folder: Path, plots: int, progress: Progress) -> None:
    from edge.reports.png import draw, file_name  # noqa: PLC0415 - an extra

    chosen = whole.interesting()[:plots]
    progress.begin("pictures")
    for place, (number, sensor) in enumerate(chosen):
        dataset = whole.datasets[number]
        draw(whole, dataset, sensor, folder / file_name(place, dataset, sensor))
        progress.at((place + 1) / len(chosen))


def _command(
    files: tuple[Path, ...], configs: tuple[Path, ...], labels: Path | None, journals: tuple[Path, ...], rules: Rules
) -> str:
    """The command line that repeats the backtest, with the options that affect its outcome."""
    words = ["edgewarden", "backtest", *map(os.fspath, files)]
    words += [word for each in configs for word in ("--config", os.fspath(each))]
    words += [word for each in journals for word in ("--journal", os.fspath(each))]
    words += ["--labels", os.fspath(labels)] if labels is not None else []
    words += [f"--grace={rules.grace_s:g}", f"--recovery={rules.recovery_s:g}"] if labels is not None else []
    return " ".join(words)
