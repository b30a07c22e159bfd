"""The part of a page about one sensor: its plot, and the same information in words."""

from __future__ import annotations

import math
from html import escape

from edge.core.incidents.events.event import severity_name
from edge.core.model.notation.quantities import duration, number
from edge.core.model.notation.severity import severity_class
from edge.reports.backtest import Backtest, Dataset, verdict_words
from edge.reports.judging import IncidentSpan
from edge.reports.plot_data import labels_of, plot_json
from edge.reports.summary import many, spell_moment

BUTTONS = (
    ("previous", "Previous incident or label (p)", "&lsaquo; previous"),
    ("next", "Next incident or label (n)", "next &rsaquo;"),
    ("out", "Zoom out (-)", "&minus;"),
    ("in", "Zoom in (+)", "+"),
    ("reset", "Show all (Esc)", "all"),
    ("height", "Full height or cut off far values (y)", "height"),
)


def card(backtest: Backtest, dataset: Dataset, sensor: str, place: int, points: int) -> str:
    """The card of one sensor.

    Args:
        backtest: The backtest.
        dataset: The dataset of the sensor.
        sensor: Name of the sensor.
        place: Index of the card on the page, from 0.
        points: Maximum number of points in its series.
    """
    title, where = title_of(backtest, dataset, sensor)
    chips, table = _chips(dataset, sensor), _table(backtest, dataset, sensor)
    buttons = "".join(
        f'<button type="button" data-act="{act}" aria-label="{label}" title="{label}">{text}</button>'
        for act, label, text in BUTTONS
    )
    spoken = escape(_spoken(backtest, dataset, sensor))
    hint = '<span class="small quiet">drag to zoom, double-click for all</span>'
    return (
        f'<section class="card" data-name="{title} {where}"><div class="head"><h3>{title}</h3>'
        f'<span class="where">{where}</span><div class="chips">{chips}</div></div>\n'
        f'<div class="plot" data-source="data-{place}" data-label="{spoken}"></div>\n'
        f'<div class="tools">{buttons}{hint}</div>\n{table}'
        f'<script type="application/json" id="data-{place}">{plot_json(dataset, sensor, points)}</script></section>\n'
    )


def title_of(backtest: Backtest, dataset: Dataset, sensor: str) -> tuple[str, str]:
    """A sensor's heading and the text next to it, as HTML."""
    several = len(backtest.datasets) > 1
    if several and len(dataset.sensors()) == 1:
        return escape(dataset.name), escape(sensor)
    return escape(sensor), escape(dataset.name) if several else ""


def _chips(dataset: Dataset, sensor: str) -> str:
    record = dataset.record(0, sensor)
    chips = [("", f"{record.readings:,} readings")]
    if record.states:
        chips.append(("", f"states {', '.join(number(each) for each in record.states)}"))
    labels = labels_of(dataset, sensor)
    for place, run in enumerate(dataset.runs):
        letter = f"{chr(65 + place)}: " if len(dataset.runs) > 1 else ""
        incidents, words, kind, parts = dataset.record(place, sensor).incidents, run.words(), "", []
        if run.judgement is not None and labels:
            found = sum(not math.isnan(run.judgement.delays[each]) for each, _ in labels)
            parts.append(f"{found} of {many(len(labels), 'label')} found")
            kind = "good" if found == len(labels) else "bad"
        elif incidents and run.judgement is None:
            parts.append(many(len(incidents), "incident"))
        false = sum(words.get(each.incident) == "false" for each in incidents)
        if false:
            parts.append(f"{false} false")
            kind = "bad"
        if parts:
            chips.append((kind, letter + ", ".join(parts)))
    return "".join(f'<span class="chip {kind}">{escape(text)}</span>' for kind, text in chips)


def _spoken(backtest: Backtest, dataset: Dataset, sensor: str) -> str:
    record = dataset.record(0, sensor)
    trace = record.series.trace()
    values = f", values {number(float(trace.low.min()))} to {number(float(trace.high.max()))}" if len(trace.low) else ""
    found = "; ".join(
        f"{many(len(dataset.record(run, sensor).incidents), 'incident')} with {name}"
        for run, name in enumerate(backtest.configurations)
    )
    labels = len(labels_of(dataset, sensor))
    count = f"{many(labels, 'label')}; " if dataset.labels is not None else ""
    return (
        f"Readings of {sensor}, {many(record.readings, 'reading')}{values}; {count}{found}. The table below lists them."
    )


def _table(backtest: Backtest, dataset: Dataset, sensor: str) -> str:
    lines: list[tuple[float, str]] = []
    several = len(dataset.runs) > 1
    for at, label in labels_of(dataset, sensor):
        verdicts = [
            f"{backtest.configurations[place]}: {_verdict(dataset, place, at)}"
            if several
            else _verdict(dataset, place, at)
            for place in range(len(dataset.runs))
        ]
        what = label.kind.replace("_", " ") or "label"
        lines.append((label.start, _row("truth", what, label.start, label.end, "; ".join(verdicts))))
    for place, run in enumerate(dataset.runs):
        words = run.words()
        for each in dataset.record(place, sensor).incidents:
            rank = severity_class(each.severity)
            what = f"{severity_name(each.severity)[0]} {each.kind.replace('_', ' ')}"
            word = words.get(each.incident)
            line = f"{each.message}{_others(each)} [{', '.join(each.detectors)}; {number(each.score)} decades]"
            line += f" ({word})" if word else ""
            line = f"{backtest.configurations[place]}: {line}" if several else line
            lines.append((each.raised, _row(f"s{rank}", what, each.raised, each.ended, line)))
    if not lines:
        return ""
    lines.sort(key=lambda each: each[0])
    return (
        f'<details><summary>Labels and incidents, {len(lines)}</summary><div class="scroll"><table><thead><tr>'
        '<th scope="col">what</th><th scope="col">from (UTC)</th><th scope="col">lasted</th>'
        f'<th scope="col" class="left">in words</th></tr></thead><tbody>{"".join(text for _, text in lines)}</tbody>'
        "</table></div></details>\n"
    )


def _others(span: IncidentSpan) -> str:
    """The conditions of an incident apart from the worst one, with the times since which they held."""
    others = [(kind, since) for kind, since in span.conditions if kind != span.kind]
    named = ", ".join(f"{kind.replace('_', ' ')} since {spell_moment(since)}" for kind, since in others)
    return f"; {named}" if named else ""


def _verdict(dataset: Dataset, place: int, label: int) -> str:
    judgement = dataset.runs[place].judgement
    if judgement is None:
        return ""
    delay = judgement.delays[label]
    word = verdict_words(label, judgement)
    return word if math.isnan(delay) else f"{word} after {duration(delay)}"


def _row(mark: str, what: str, start: float, end: float, line: str) -> str:
    lasted = "still open" if math.isinf(end) else duration(max(0.0, end - start))
    return (
        f'<tr><td><i class="{mark}"></i>{escape(what)}</td><td>{spell_moment(start)}</td><td>{lasted}</td>'
        f'<td class="sentence">{escape(line)}</td></tr>'
    )
