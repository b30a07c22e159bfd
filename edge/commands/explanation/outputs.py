"""The section of `edgewarden check` about topics and receivers: where events, state and health are sent."""

from __future__ import annotations

import click

from config.schema import Configuration, SinkTable
from config.tables.homeassistant import HomeAssistantTable
from config.tables.page import Page
from edge.commands.support.printing.durations import spelled_out
from edge.commands.support.printing.terminal import heading, paragraph, term
from edge.core.model.notation.topics import Topics


def describe_outputs(configuration: Configuration) -> None:
    """Print the published topics and the other receivers."""
    topics = Topics(configuration.gateway.topic_base)
    heading("What is published")
    if configuration.kafka is not None and configuration.upstream is None:
        paragraph("Nothing, as there is no MQTT broker: events go to sinks only.")
        _describe_others(configuration)
        return
    for topic, meaning in (
        (topics.anomaly("SENSOR"), "every event of every incident, at least once, with an id that never changes"),
        (topics.state("SENSOR"), "ok or the open incident (retained)"),
        (topics.open, "all open incidents (retained)"),
        (topics.status, "online or offline, version, the kinds of faults that are detected (retained)"),
        (topics.health, "counters, backlog and limits (retained)"),
        (topics.shelved, "what is muted, and the current maintenance windows (retained)"),
        (topics.result, _answers(configuration, topics)),
        (topics.gap, "what is missing, why, how much of it, and from when to when"),
        (topics.sensors, "sensors that were found or forgotten, up to 100 in a message"),
        (topics.dead_letter, "what was refused: topic, reason, the beginning of the payload in base64"),
    ):
        term(topic, meaning, column=max(28, len(topics.anomaly("SENSOR")) + 2))
    _describe_others(configuration)


def _describe_others(configuration: Configuration) -> None:
    if configuration.page is not None:
        paragraph(_page(configuration.page))
    for each in configuration.sinks:
        if each.kind == "notify":
            paragraph(_notified(each))
    if configuration.homeassistant is not None:
        paragraph(_home_assistant(configuration.homeassistant))
    click.echo()


def _page(page: Page) -> str:
    host = f"[{page.bind}]" if ":" in page.bind else page.bind
    place = f"at http://{host}:{page.port}/" if page.port else f"at {host}, at a free port that is logged at the start"
    has_passwords = page.password_file is not None
    who = f"passwords are in {page.password_file}" if has_passwords else "anyone who can reach it is the operator"
    return f"A page in a browser shows it {place}; {who}."


def _notified(sink: SinkTable) -> str:
    from_on = f"from severity {sink.severity} on" if sink.severity > 1 else "of any severity"
    often = f"at most one message in {spelled_out(sink.interval_s)}"
    quiet = "" if sink.quiet is None else f"; {sink.quiet} ({sink.zone}) only from severity {sink.quiet_severity} on"
    return f"Notifications ({sink.title}) report incidents {from_on} of {', '.join(sink.sensors)}, {often}{quiet}."


def _home_assistant(table: HomeAssistantTable) -> str:
    if not table.enabled:
        return f"What Home Assistant was told below {table.prefix}/ is cleared."
    which = "all sensors" if table.sensors == ("**",) else f"sensors that {' or '.join(table.sensors)} fits"
    return (
        f"Home Assistant finds {which} below {table.prefix}/, {table.most_sensors:,} at most and those found first, "
        f"and is told again when it says {table.birth_payload} on {table.hears}."
    )


def _answers(configuration: Configuration, topics: Topics) -> str:
    if configuration.commands.enabled:
        return f"the outcome of each command on {topics.command('NAME')}"
    return "nothing: commands.enabled is false, so no command is followed"
