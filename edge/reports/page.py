"""The report as a single self-contained HTML file: no network, no library.

Summary, labels and incidents are HTML tables that need no script. The plots are drawn by `plot.js` from data in the
page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from html import escape
from importlib.resources import files

from edge.core.incidents.events.event import SEVERITIES
from edge.core.model.notation.quantities import duration, number
from edge.reports.backtest import Backtest, Total
from edge.reports.cards import card, title_of
from edge.reports.judging import JudgedRun
from edge.reports.summary import many, per_cent, rate, rows, spell_moment, spell_span

POINTS_IN_ALL = 250_000
"""Approximate maximum number of points in all series of a page; 20 bytes each, and as much again for each
configuration."""

MOST_POINTS, FEWEST_POINTS = 4096, 500

STYLES = ("plot.css", "report.css")
SCRIPTS = ("plot_drawing.js", "plot.js", "report.js")


def page(backtest: Backtest, *, plots: int, command: str, version: str) -> Iterator[str]:
    """The report in pieces.

    Args:
        backtest: The backtest.
        plots: Maximum number of sensors drawn, those with incidents or labels first.
        command: Command line that created the report.
        version: Version of Edgewarden.
    """
    folder = files("edge.reports").joinpath("assets")
    style, script = ("".join(folder.joinpath(each).read_text("utf-8") for each in kind) for kind in (STYLES, SCRIPTS))
    totals = [backtest.total(each) for each in range(len(backtest.configurations))]
    sensors = backtest.interesting()
    drawn, rest = sensors[:plots], sensors[plots:]
    yield _head(backtest, style)
    yield "<body>\n"
    yield _top(backtest, totals)
    yield "<main>\n"
    yield _summary(backtest, totals)
    yield _budgets(backtest, totals)
    yield _controls(backtest, len(drawn))
    points = min(MOST_POINTS, max(FEWEST_POINTS, POINTS_IN_ALL // max(1, len(drawn) * len(totals))))
    for place, (dataset, sensor) in enumerate(drawn):
        yield card(backtest, backtest.datasets[dataset], sensor, place, points)
    if rest:
        names = "".join(f"<li>{title_of(backtest, backtest.datasets[dataset], name)[0]}</li>" for dataset, name in rest)
        yield f"<details><summary>{len(rest)} more sensors aren't drawn</summary><ul>{names}</ul></details>\n"
    yield "</main>\n"
    yield _footer(backtest, command, version)
    yield f"<script>\n{script}</script>\n</body>\n</html>\n"


def _head(backtest: Backtest, style: str) -> str:
    title = escape(" · ".join(["Backtest", *(each.name for each in backtest.datasets[:3])]))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
    )


def _top(backtest: Backtest, totals: list[Total]) -> str:
    readings, sensors = max(each.readings for each in totals), max(each.sensors for each in totals)
    names = [each.name for each in backtest.datasets]
    what = names[0] if len(names) == 1 else f"{len(names)} files"
    times = [
        each
        for dataset in backtest.datasets
        for run in dataset.runs
        for record in run.sensors.values()
        for each in (record.first, record.last)
    ]
    span = f"{spell_moment(min(times))} to {spell_moment(max(times))} UTC" if times else "nothing"
    parts = [
        '<header class="top">',
        f"<h1>Backtest of {escape(what)}</h1>",
        f'<p class="quiet">{readings:,} readings of {many(sensors, "sensor")}, {span}</p>',
    ]
    if len(totals) == 1:
        parts.append(_tiles(totals[0]))
    parts.append("</header>\n")
    return "\n".join(parts)


def _tiles(total: Total) -> str:
    tiles = []
    judged = total.judged
    if judged is not None and judged.labels:
        kind = "good" if judged.found == judged.labels else ""
        tiles.append((kind, f"{judged.found} of {judged.labels}", "labels found"))
        tiles.append(
            ("", spell_span(judged.delay_median_s), f"median delay; the worst {spell_span(judged.delay_worst_s)}")
        )
        tiles.append(("", per_cent(judged.covered), "of the labelled time within incidents"))
    if judged is not None:
        tiles.append(("", str(judged.false), "false incidents"))
        tiles.append(("", rate(judged.false_per_sensor_day), "false incidents a sensor-day"))
    else:
        tiles.append(("", str(total.incidents), "incidents"))
        daily = total.incidents / total.sensor_days if total.sensor_days else math.nan
        tiles.append(("", rate(daily), "incidents a sensor-day"))
        classes = [(count, name) for count, (name, _) in zip(total.by_class, SEVERITIES, strict=True)]
        tiles += [("", str(count), f"{name} at their worst") for count, name in reversed(classes)]
    inner = "".join(
        f'<div class="tile {kind}"><b>{escape(big)}</b><span>{small}</span></div>' for kind, big, small in tiles
    )
    return f'<div class="tiles">{inner}</div>'


def _summary(backtest: Backtest, totals: list[Total]) -> str:
    header, body = rows(backtest, totals)
    best = _best([each.judged for each in totals]) if len(totals) > 1 else {}
    same = [len(set(column)) == 1 for column in zip(*body, strict=True)]
    best = {name: best[name] for name, equal in zip(header, same, strict=True) if name in best and not equal}
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in header)
    lines = []
    for place, cells in enumerate(body):
        letter = f'<span class="letter">{chr(65 + place)}</span>' if len(body) > 1 else ""
        inner = "".join(
            f'<td class="best">{escape(cell)}</td>' if place in best.get(name, ()) else f"<td>{escape(cell)}</td>"
            for name, cell in zip(header[1:], cells[1:], strict=True)
        )
        lines.append(f'<tr><th scope="row" class="left">{letter}{escape(cells[0])}</th>{inner}</tr>')
    unjudged = [each.name for each in backtest.datasets if each.labels is None]
    note = ""
    if unjudged and len(unjudged) < len(backtest.datasets):
        note = f'<p class="small quiet">Without labels, and not judged: {escape(", ".join(unjudged))}</p>'
    return (
        f'<section><h2>Summary</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{note}</section>\n"
    )


def _best(judged: list[JudgedRun | None]) -> dict[str, set[int]]:
    """The best configurations in each comparable column, by title; none where all are equal."""
    wanted: dict[str, Callable[[JudgedRun], float]] = {
        "found": lambda it: -it.found,
        "missed": lambda it: it.missed,
        "false": lambda it: it.false,
        "delay, median": lambda it: it.delay_median_s,
        "delay, worst": lambda it: it.delay_worst_s,
        "false a sensor-day": lambda it: it.false_per_sensor_day,
        "labelled time covered": lambda it: -it.covered,
    }
    found: dict[str, set[int]] = {}
    for title, figure in wanted.items():
        figures = [math.nan if each is None else figure(each) for each in judged]
        known = [each for each in figures if not math.isnan(each)]
        if len(set(known)) > 1:
            found[title] = {place for place, each in enumerate(figures) if each == min(known)}
    return found


def _budgets(backtest: Backtest, totals: list[Total]) -> str:
    head = "".join(f'<th scope="col">{number(each)} a sensor-day</th>' for each in backtest.budgets)
    lines = []
    for place, total in enumerate(totals):
        letter = f'<span class="letter">{chr(65 + place)}</span>' if len(totals) > 1 else ""
        cells = []
        for count in total.budgets:
            daily = count / total.sensor_days if total.sensor_days else math.nan
            cells.append(f"<td>{count} <small>{rate(daily)} a sensor-day</small></td>")
        name = escape(backtest.configurations[place])
        lines.append(f'<tr><th scope="row" class="left">{letter}{name}</th>{"".join(cells)}</tr>')
    return (
        "<section><h2>What another false-alarm budget would have cost</h2>"
        f'<div class="scroll"><table><thead><tr><th scope="col">incidents with a budget of</th>{head}</tr></thead>'
        f'<tbody>{"".join(lines)}</tbody></table></div><p class="small quiet">Found or false, counted from the scores '
        "of this run; what is learned while an incident is open would differ a little. Silences are left out.</p>"
        "</section>\n"
    )


def _controls(backtest: Backtest, drawn: int) -> str:
    names = backtest.configurations
    choice = ""
    if len(names) > 1:
        options = "".join(
            f'<label><input type="radio" name="shown" value="{place}"{" checked" if place == 0 else ""}>'
            f'<span class="letter">{chr(65 + place)}</span>{escape(name)}</label>'
            for place, name in enumerate(names)
        )
        choice = (
            '<div class="choice" role="radiogroup" aria-label="Configuration whose band, score and spans are shown">'
            f'<span class="small quiet">Band, score and spans of</span>{options}</div>'
        )
    search = (
        '<input type="search" id="search" placeholder="Find a sensor" aria-label="Find a sensor">' if drawn > 5 else ""
    )
    linked = '<label><input type="checkbox" id="linked">Zoom all together</label>' if drawn > 1 else ""
    is_judged = any(each.labels is not None for each in backtest.datasets)
    hollow = [("hollow", "false")] if is_judged else []
    has_states = any(
        record.states for each in backtest.datasets for run in each.runs for record in run.sensors.values()
    )
    dotted = [("state", "values of a machine's states")] if has_states else []
    legend = "".join(
        f'<li><i class="{name}"></i>{text}</li>'
        for name, text in (
            ("series", "readings"), ("band", "expected"), ("label", "labelled"), ("s0", "INFO"), ("s1", "WARN"),
            ("s2", "ERROR"), ("s3", "FATAL incident"), *hollow, *dotted,
            ("level", "raising level of the score, in decades"),
        )
    )  # fmt: skip
    return (
        f'<h2>Sensors</h2><div class="bar">{search}{choice}{linked}</div><ul class="legend">{legend}</ul>'
        "<noscript><p>The plots are drawn by a script in this page, which this viewer doesn't run. The tables below "
        "each sensor say the same in words.</p></noscript>\n"
    )


def _footer(backtest: Backtest, command: str, version: str) -> str:
    rules = backtest.rules
    notes = [
        f"A label is found by an incident raised between its start and {duration(rules.grace_s)} after its end.",
        f"An incident is false if no label lies within its time, or ended up to {duration(rules.recovery_s)} before.",
        "Scores are decades of surprise: 6 is one in a million by chance. All times are UTC.",
        f"edgewarden {version}: <code>{escape(command)}</code>",
    ]
    return f"<footer>{''.join(f'<p>{each}</p>' for each in notes)}</footer>\n"
