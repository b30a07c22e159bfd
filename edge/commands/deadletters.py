"""`edgewarden deadletters`: lists refused input with the reasons and the beginning of the payloads."""

from __future__ import annotations

import json
from typing import Any

import click

from edge.commands.support.moments import PastMoment
from edge.commands.support.places import Place, reads_store
from edge.commands.support.values import Reason, TopicFilter, latest_of

SHOWN = 256


@click.command()
@reads_store
@click.option("--reason", "reasons", type=Reason(), multiple=True,
              help="Only input refused for this reason; may be given several times.")  # fmt: skip
@click.option(
    "--topic",
    type=TopicFilter(),
    help="Only from this topic, or from topics that match this filter, such as 'plant/#'.",
)
@click.option("--since", type=PastMoment(), help="Only since this time: RFC 3339, a date, or 24h for a day ago.")
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="Maximum number, the latest ones.")
@click.option("--all", "everything", is_flag=True, help="No limit on the number.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines; the beginning of the payload is in base64.")
def deadletters(
    place: Place,
    reasons: tuple[str, ...],
    topic: str | None,
    since: float | None,
    last: int,
    everything: bool,
    as_json: bool,
) -> None:
    """List refused input, oldest first: when, why, from which topic, the detail, and the beginning of the payload.

    The service may be running or stopped. It keeps the latest ones (store.dead_letters), a limited number per minute
    (limits.dead_letters_per_minute), and counts all of them: see `edgewarden status`.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import heading  # noqa: PLC0415
    from edge.commands.support.service.service_state import service_state  # noqa: PLC0415
    from edge.core.model.notation.quantities import counted  # noqa: PLC0415
    from edge.shell.store.reading.overview import LetterFilter, read_dead_letters, read_size  # noqa: PLC0415

    with explained():
        store = place.store()
        letters = read_dead_letters(store, LetterFilter(reasons, topic, since), None if everything else last + 1)
        kept, state = read_size(store).dead_letters, service_state(store)
    letters = latest_of(letters, None if everything else last, "message")
    if as_json:
        click.echo(state.words(), err=True)
        for letter in letters:
            click.echo(json.dumps(_plain(letter)))
        return
    of = "" if len(letters) == kept else f" of {kept:,} that are kept"
    heading(f"{counted(len(letters), 'refused message')}{of}; {state.words()}")
    for letter in letters:
        _show(letter)


def _plain(letter: dict[str, Any]) -> dict[str, Any]:
    from base64 import b64encode  # noqa: PLC0415 - loaded when the command runs

    from edge.core.incidents.events.event import timestamp  # noqa: PLC0415

    return {
        "time": timestamp(letter["arrived"]),
        **{name: letter[name] for name in ("topic", "reason", "path", "detail")},
        "beginning": b64encode(letter["beginning"]).decode(),
        "size": letter["size"],
    }


def _show(letter: dict[str, Any]) -> None:
    from edge.commands.support.printing.durations import moment  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import paragraph  # noqa: PLC0415
    from edge.commands.support.values import meaning_of  # noqa: PLC0415
    from edge.core.model.notation.printable import printable, printable_bytes  # noqa: PLC0415
    from edge.core.model.notation.quantities import counted  # noqa: PLC0415

    reason = click.style(letter["reason"], fg="yellow")
    click.echo(f"{moment(letter['arrived'])}  {reason}  {printable(letter['topic'])}")
    where = f" (at {letter['path']})" if letter["path"] else ""
    detail = f": {letter['detail']}" if letter["detail"] else ""
    paragraph(printable(f"{meaning_of(letter['reason'])}{where}{detail}"))
    payload, rest = letter["beginning"], letter["size"] - len(letter["beginning"])
    more = f" … and {counted(rest, 'byte')} more" if rest > 0 else ""
    click.echo(f"  {printable_bytes(payload, 4 * SHOWN)}{more}")
