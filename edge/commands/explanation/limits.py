"""The section of `edgewarden check` about the store and limits."""

from __future__ import annotations

import click

from config.schema import Configuration
from edge.commands.support.printing.durations import size, spelled_out
from edge.commands.support.printing.terminal import heading, paragraph


def describe_store(configuration: Configuration) -> None:
    """Print what the store keeps, how much of it, and for how long."""
    store = configuration.store
    heading("What is kept")
    paragraph(
        f"{store.path} keeps every event until it is delivered, and then for {_days(store.events_days)} "
        f"or up to {size(store.events_bytes)}; the readings of {_days(store.journal_days)} "
        f"or up to {size(store.journal_bytes)}; and the last {store.dead_letters:,} refused messages."
    )
    if store.durability == "power":
        paragraph("What was committed survives a power cut.")
    else:
        paragraph("What was committed survives a crash of the process; a power cut may cost the last seconds.")
    click.echo()


def _days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"


def describe_limits(configuration: Configuration) -> None:
    """Print the limits on input."""
    limits = configuration.limits
    heading("Limits")
    paragraph(
        f"{limits.sensors:,} sensors; payloads of {size(limits.payload_bytes)} with "
        f"{limits.readings_per_message:,} readings and {limits.depth} levels; times from "
        f"{limits.earliest.isoformat()} on and up to {spelled_out(limits.future_s)} ahead; "
        f"{limits.receive_messages:,} messages or {size(limits.receive_bytes)} that wait; "
        f"{limits.dead_letters_per_minute:,} reports of refused messages a minute. The log begins at "
        f"{configuration.log.level}."
    )
