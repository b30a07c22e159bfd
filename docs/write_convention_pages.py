"""Write docs/howto/conventions/NAME.md for each convention, and the list of them in docs/reference/conventions.md.

python docs/write_convention_pages.py            rewrites them
python docs/write_convention_pages.py --check    exits with 1 if they are out of date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from config.loading import parse
from config.schema import LimitsTable
from config.tables.convention import Convention, Example, conventions
from config.writing.toml_text import toml_value
from edge.core.model.sensors.sensors import Repetition
from edge.shell.service.assembly.decoders import decoder_of

FOLDER = Path(__file__).parent / "howto" / "conventions"
LIST = Path(__file__).parent / "reference" / "conventions.md"
MARKED = re.compile(r"(<!-- list of conventions -->\n).*?(<!-- end -->)", re.DOTALL)

MORE = {"senml": "senml.md", "sparkplug": "sparkplug.md", "telegraf": "influx.md"}
"""Pages that describe the format of a convention."""

REPETITIONS = {
    Repetition.PERIODIC: "A reading at an interval: silence is a fault, and repeated values are measurements.",
    Repetition.ON_CHANGE: "A change of the value: silence isn't a fault.",
    Repetition.FULL_REPEAT: "A change of some field, with all fields repeated: an unchanged value counts once, and "
    "silence isn't a fault.",
}
TIMES = {
    True: "The time in the payload, or the time of arrival if there is none.",
    False: "The time of arrival.",
}
RETAINED = {
    True: "Read if it contains a time; refused otherwise, because its age is unknown.",
    False: "Refused, because its age is unknown; the next message is read.",
}


def page_of(convention: Convention) -> str:
    """The page of a convention."""
    return "\n".join(_lines(convention)) + "\n"


def _lines(convention: Convention) -> Iterator[str]:
    text = f'[[input]]\nconvention = "{convention.name}"\n'
    (given,) = parse(text).configuration.inputs
    decoder = decoder_of(given, LimitsTable())
    repetition = decoder.repetition if given.repetition is None else Repetition(given.repetition)
    timed = given.time == "payload" and given.format != "number" and bool(given.time_keys)
    yield f"# {convention.title}"
    yield ""
    yield "One line in the configuration is enough; `edgewarden discover --write` adds it. The format is described at"
    yield f"<{convention.source}>."
    yield from ("", "```toml", *text.splitlines(), "```", "", convention.note)
    if convention.name in MORE:
        yield f"See [{MORE[convention.name]}](../{MORE[convention.name]}) for the format."
    yield from (
        "",
        "The convention sets these keys; any of them can be overridden below the line, such as `topic`:",
        "",
    )
    yield from ("```toml", "[[input]]", *(f"{key} = {toml_value(value)}" for key, value in convention.keys.items()))
    yield from ("```", "", "| | |", "|---|---|")
    yield f"| meaning of a message | {REPETITIONS[repetition]} |"
    yield f"| time of a reading | {TIMES[timed]} |"
    yield f"| a retained message | {RETAINED[timed and given.format != 'sparkplug']} |"
    if given.availability is not None:
        yield (
            f"| an unavailable device | Reported on `{given.availability}`: one incident for all of its sensors; see "
            "[availability](../../reference/conventions.md#availability). |"
        )
    yield from ("", "## Examples of payloads")
    for each in convention.examples:
        yield from _example(each)


def _example(example: Example) -> Iterator[str]:
    hexadecimal = " (binary, shown in hexadecimal)" if example.hexadecimal else ""
    yield from ("", f"On `{example.topic}`{hexadecimal}:", "", "```text", example.payload, "```", "")
    if example.sensors:
        yield from ("| sensor | value |", "|---|---|")
        yield from (f"| `{name}` | {value:.15g} |" for name, value in example.sensors.items())
    else:
        yield "Ignored: it contains no sensor."


def listed() -> str:
    """The list of all conventions."""
    rows = (
        f"| [`{each.name}`](../howto/conventions/{each.name}.md) | {each.title} | `{each.keys['topic']}` |"
        for each in conventions().values()
    )
    return "\n".join(["| convention | devices or software | topics |", "|---|---|---|", *rows]) + "\n"


def wanted() -> dict[Path, str]:
    """The expected contents of each file."""
    pages = {FOLDER / f"{each.name}.md": page_of(each) for each in conventions().values()}
    return {**pages, LIST: MARKED.sub(lambda found: found[1] + listed() + found[2], LIST.read_text("utf-8"))}


def main() -> int:
    """Write the pages, or check that they are up to date."""
    texts = wanted()
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    unknown = sorted(set(FOLDER.glob("*.md")) - texts.keys())
    if "--check" in sys.argv:
        return 1 if stale or unknown else 0
    FOLDER.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(texts[path], "utf-8")
    for path in unknown:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
