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
"""Pages that say more of a convention's format."""

REPETITIONS = {
    Repetition.PERIODIC: "The next reading was due: silence is a fault, and equal values count as measured.",
    Repetition.ON_CHANGE: "Something changed: silence is no fault.",
    Repetition.FULL_REPEAT: "Some field of the device changed, and all are sent again: a value that stays is "
    "taken once, and silence is no fault.",
}
TIMES = {
    True: "That of the payload, or else of the arrival.",
    False: "That of the arrival.",
}
RETAINED = {
    True: "It is read if it says its time, and refused otherwise: it is old.",
    False: "It is refused, as nothing says how old it is; the next one is read.",
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
    yield "One line in the configuration reads it; `edgewarden discover --write` puts it there. Described at"
    yield f"<{convention.source}>."
    yield from ("", "```toml", *text.splitlines(), "```", "", convention.note)
    if convention.name in MORE:
        yield f"[{MORE[convention.name]}](../{MORE[convention.name]}) says more."
    yield from ("", "It stands for this; any key can be written below the line, such as another `topic`:", "")
    yield from ("```toml", "[[input]]", *(f"{key} = {toml_value(value)}" for key, value in convention.keys.items()))
    yield from ("```", "", "| | |", "|---|---|")
    yield f"| what a message means | {REPETITIONS[repetition]} |"
    yield f"| time of a reading | {TIMES[timed]} |"
    yield f"| a message that the broker had kept | {RETAINED[timed and given.format != 'sparkplug']} |"
    if given.availability is not None:
        yield (
            f"| a device that is gone | It says so on `{given.availability}`: one incident for all of its sensors, see "
            "[availability](../../reference/conventions.md#availability). |"
        )
    yield from ("", "## Payloads, and what becomes of them")
    for each in convention.examples:
        yield from _example(each)


def _example(example: Example) -> Iterator[str]:
    hexadecimal = " (binary, here in hexadecimal)" if example.hexadecimal else ""
    yield from ("", f"On `{example.topic}` comes{hexadecimal}", "", "```text", example.payload, "```", "")
    if example.sensors:
        yield from ("| sensor | value |", "|---|---|")
        yield from (f"| `{name}` | {value:.15g} |" for name, value in example.sensors.items())
    else:
        yield "It holds no sensor, and is left out."


def listed() -> str:
    """The list of all conventions."""
    rows = (
        f"| [`{each.name}`](../howto/conventions/{each.name}.md) | {each.title} | `{each.keys['topic']}` |"
        for each in conventions().values()
    )
    return "\n".join(["| convention | what publishes so | topics |", "|---|---|---|", *rows]) + "\n"


def wanted() -> dict[Path, str]:
    """What stands in each file."""
    pages = {FOLDER / f"{each.name}.md": page_of(each) for each in conventions().values()}
    return {**pages, LIST: MARKED.sub(lambda found: found[1] + listed() + found[2], LIST.read_text("utf-8"))}


def main() -> int:
    """Write them, or compare."""
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
