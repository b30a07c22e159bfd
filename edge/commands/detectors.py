"""`edgewarden detectors`: what each detector catches, what it is blind to, and its parameters."""

from __future__ import annotations

import inspect
import json
import math
import re
from typing import Any

import click

from config.problems import suggestion
from config.schema import presets
from detectors import DETECTORS, DEVICE_DETECTORS
from detectors.base import Detector
from detectors.parameters import ParameterInfo, Range, parameters_of
from edge.commands.support.printing.terminal import heading, paragraph, term

_SECTION = re.compile(r"^([A-Z][A-Za-z -]{2,20}):(?:[ \t]+(\S.*))?$")
_FOR_PROGRAMMERS = frozenset({"Attributes", "Args", "Example", "Examples", "Returns", "Raises"})


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def detectors(name: str | None, as_json: bool) -> None:
    """Explain the detectors and their parameters.

    NAME is the name of a detector; by default all detectors and presets are listed.
    """
    every: dict[str, type[Detector]] = {**DETECTORS, **DEVICE_DETECTORS}
    if name is not None and name not in every:
        raise click.BadParameter(f"there is no detector {name}{suggestion(name, every)}", param_hint="NAME")
    chosen = {name: every[name]} if name is not None else every
    if as_json:
        click.echo(json.dumps([as_plain(each) for each in chosen.values()], indent=2, ensure_ascii=False))
    elif name is not None:
        _explain(every[name])
    else:
        _list()


def _list() -> None:
    heading("Detectors")
    for name, detector in DETECTORS.items():
        promise, _, _ = read_docstring(detector)
        term(name, promise, column=12)
    click.echo()
    heading("Detectors of devices")
    for name, device_detector in DEVICE_DETECTORS.items():
        promise, _, _ = read_docstring(device_detector)
        term(name, promise, column=12)
    click.echo()
    heading("Presets, for a rule to begin with")
    for name, preset in presets().items():
        used = ", ".join(each for each in DETECTORS if each in preset.detectors.given)
        term(name, f"{preset.description} ({used})", column=14)
    click.echo("\nedgewarden detectors NAME explains one of them.")


def _explain(detector: type[Detector]) -> None:
    promise, about, sections = read_docstring(detector)
    heading(detector.name)
    paragraph(promise)
    for text in about:
        click.echo()
        paragraph(text)
    click.echo()
    sections = {"Kind of incident": detector.kind.replace("_", " "), **sections}
    for title, text in sections.items():
        term(title, text, column=max(16, max(map(len, sections)) + 2))
    click.echo()
    heading("Parameters")
    for parameter in parameters_of(detector):
        term(parameter.name, parameter.doc, column=20)
        paragraph(_setting(parameter), indent=22)
    click.echo()
    heading("In a configuration")
    if detector.name in DEVICE_DETECTORS:
        click.echo(f'  [[device]]\n  sensors = ["**"]\n  detectors = ["{detector.name}"]')
    else:
        click.echo(f'  [[rule]]\n  sensors = "**"\n  [rule.detectors.{detector.name}]')
    for parameter in parameters_of(detector):
        shown = "" if _unset(parameter) else _value(parameter.default)
        click.echo(f"  {parameter.name} = {shown}" if shown else f"  # {parameter.name} = ...")


def read_docstring(detector: type[Detector]) -> tuple[str, list[str], dict[str, str]]:
    """The parts of a detector's docstring for operators.

    Returns:
        The first sentence, the following paragraphs, and the sections by title, each as running text.
    """
    promise, _, rest = inspect.cleandoc(detector.__doc__ or "").partition("\n")
    about: list[str] = [""]
    sections: dict[str, str] = {}
    title = ""
    for line in rest.splitlines():
        match = _SECTION.match(line)
        if line.lstrip().startswith(">>>"):
            title = "Example"
        elif match:
            title = match[1]
            sections[title] = match[2] or ""
        elif line.startswith((" ", "\t")) and title:
            sections[title] = f"{sections.get(title, '')} {line.strip()}".strip()
        elif not line.strip():
            about.append("")
        elif not title:
            about[-1] = f"{about[-1]} {line.strip()}".strip()
    kept = {name: text for name, text in sections.items() if name not in _FOR_PROGRAMMERS}
    return promise, [each for each in about if each], kept


def as_plain(detector: type[Detector]) -> dict[str, Any]:
    """All facts about a detector as plain values."""
    promise, about, sections = read_docstring(detector)
    return {
        "name": detector.name,
        "kind": detector.kind,
        "catches": sorted(detector.catches),
        "promise": promise,
        "about": about,
        "sections": sections,
        "parameters": [
            {
                "name": each.name,
                "type": each.kind.__name__,
                "default": None if _unset(each) else each.default,
                "unit": each.unit,
                "allowed": " or ".join(each.words) or allowed(each.range),
                "meaning": each.doc,
            }
            for each in parameters_of(detector)
        ],
    }


def _unset(parameter: ParameterInfo) -> bool:
    return isinstance(parameter.default, float) and math.isnan(parameter.default)


def _setting(parameter: ParameterInfo) -> str:
    default = "not set" if _unset(parameter) else _value(parameter.default)
    unit = f" {parameter.unit}" if parameter.unit and not _unset(parameter) else ""
    bounds = " or ".join(parameter.words) or allowed(parameter.range)
    measured = f" in {parameter.unit}" if parameter.unit and _unset(parameter) else ""
    return f"default {default}{unit}{measured}" + (f"; {bounds}" if bounds else "")


def _value(value: float | str) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else f"{value:.15g}"


def allowed(bounds: Range) -> str:
    """A range in words; empty if unbounded."""
    words = [
        f"{word} {bound:.15g}"
        for word, bound in (
            ("above", bounds.above),
            ("at least", bounds.at_least),
            ("below", bounds.below),
            ("at most", bounds.at_most),
        )
        if bound is not None
    ]
    return " and ".join(words)
