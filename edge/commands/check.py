"""`edgewarden check`: what a configuration means, in plain words, or everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from config.loading import inspect
from config.notation.topics import LONGEST_NAME, sender_of
from config.problems import ConfigurationError, Problem
from config.schema import Configuration, ResolvedDevice, ResolvedRule, SinkTable
from config.tables.convention import conventions
from config.tables.homeassistant import HomeAssistantTable
from config.tables.inputs import Input
from config.tables.page import Page
from config.tables.transport import Connection
from config.writing.toml_text import toml_value
from detectors.base import Detector
from detectors.parameters import parameters_of
from edge.commands.support.places import USUAL, names_configuration
from edge.commands.support.printing.durations import size
from edge.commands.support.printing.terminal import bullet, heading, paragraph, term
from edge.core.intake.decoders import NumberDecoder, Repetition
from edge.core.intake.decoders.documents.paths import OF
from edge.core.intake.routes import Resolved, Route, match
from edge.core.model.words.topics import Topics
from edge.core.scoring.profiles import Profile

_WRONG = 2
_INTERVALS = (("second", 1.0), ("minute", 60.0), ("ten minutes", 600.0))
_SHOWN = {
    "json": ("JSON", '{"temperature": 21.5}', "temperature"),
    "msgpack": ("MessagePack", '{"temperature": 21.5}', "temperature"),
    "cbor": ("CBOR", '{"temperature": 21.5}', "temperature"),
    "number": ("a plain number", "21.5", ""),
    "senml": ("SenML in JSON", '[{"bn": "dev1/", "n": "temperature", "v": 21.5}]', "dev1/temperature"),
    "senml-cbor": ("SenML in CBOR", '[{"bn": "dev1/", "n": "temperature", "v": 21.5}]', "dev1/temperature"),
    "influx": ("InfluxDB line protocol", "boiler,room=cellar temperature=21.5", "boiler/cellar/temperature"),
    "sparkplug": ("Sparkplug B", "(a metric temperature)", "plant1/node1/device1/temperature"),
}
"""Of each format: what it is called, a payload, and the path of the number in it."""

_WITH_KEYS = frozenset({"json", "msgpack", "cbor"})
"""Formats whose fields have keys that the operator may choose."""

_WITH_TIMES = {
    "senml": "as the records say, absolute or relative to the arrival",
    "senml-cbor": "as the records say, absolute or relative to the arrival",
    "influx": "the timestamp of a line in {precision}, else the time of arrival",
    "sparkplug": "the timestamp of a metric, else of its payload, else the time of arrival",
}
"""Where other formats take the time from."""


@click.command()
@names_configuration
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but what is wrong.")
def check(path: Path | None, quiet: bool) -> None:
    """Say what a configuration means, or what is wrong with it.

    PATH is edgewarden.toml unless given. No broker is asked and no other file read. Ends with 2 if there are
    faults, each of which stands on a line of its own: file, line, key, and what would be right.
    """
    path = path or USUAL
    try:
        configuration, doubts = inspect(path)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(_styled(problem, error.source, "red"), err=True)
        count = len(error.problems)
        click.echo(f"{count} {'fault' if count == 1 else 'faults'}; nothing was started.", err=True)
        raise SystemExit(_WRONG) from None
    for doubt in doubts:
        click.echo(f"{_styled(doubt, str(path), 'yellow')} (a warning)", err=True)
    if not quiet:
        describe(configuration, path)


def _styled(problem: Problem, source: str, color: str) -> str:
    place, colon, message = problem.located(source).rpartition(f": {problem.message}")
    return f"{place}{click.style(colon + message, fg=color)}" if colon else message


def describe(configuration: Configuration, path: Path) -> None:
    """Print what a configuration means."""
    click.echo(f"{click.style(str(path), bold=True)} can be used. It means:\n")
    _gateway(configuration)
    _inputs(configuration)
    _rules(configuration)
    _devices(configuration)
    _outputs(configuration)
    _store(configuration)
    _limits(configuration)


def _gateway(configuration: Configuration) -> None:
    heading("Gateway and broker")
    paragraph(f"This gateway is called {configuration.gateway.name}.")
    if configuration.broker.embedded:
        paragraph(
            "A broker is started on this machine and serves this machine only, at "
            f"{configuration.broker.host}:{configuration.broker.port}."
        )
    paragraph(f"Readings come from {_connection(configuration.inbound)}.")
    outbound = configuration.outbound
    paragraph("Events go to the same broker." if outbound is None else f"Events go to {_connection(outbound)}.")
    click.echo()


def _connection(connection: Connection) -> str:
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    secret = ""
    if connection.password_file is not None:
        secret = f" with the password in {connection.password_file}"
    elif connection.password_credential is not None:
        secret = f" with the password in the credential {connection.password_credential}"
    elif connection.password_env is not None:
        secret = f" with the password in the environment variable {connection.password_env}"
    user = f"as user {connection.username}{secret}" if connection.username else "without a user name"
    crypt = "unencrypted"
    if connection.tls is not None:
        trusted = connection.tls.ca_file or "the system"
        crypt = f"encrypted, with the certificates of {trusted}"
    spoken = "5, or 3.1.1 where it is refused" if connection.version == "auto" else connection.version
    return (
        f"{host}:{connection.port} over MQTT {spoken}, {crypt}, {user}, "
        f"client id {connection.client_id}, probed after {connection.keepalive_s} s without traffic"
    )


def _inputs(configuration: Configuration) -> None:
    heading("Inputs: from topics to sensors")
    for each in configuration.inputs:
        bullet(_input(each))
        for line in stands_for(each):
            click.echo(f"      {line}")
        if each.convention is not None:
            paragraph(conventions()[each.convention].note, indent=6)
        topic, sensor = example(each)
        click.echo(f"      {topic}  {_SHOWN[each.format][1]}")
        if sensor is None:
            click.echo("      has no usable name for a sensor")
        else:
            click.echo(f"      is sensor {click.style(sensor, fg='cyan')}")
    click.echo()


def stands_for(given: Input) -> list[str]:
    """The keys that an input's convention sets, as TOML, with a mark at those that the operator has overridden."""
    if given.convention is None:
        return []
    convention = conventions()[given.convention]
    lines = [f'convention = "{given.convention}" stands for {convention.title}:']
    for key, value in convention.keys.items():
        own = getattr(given, key)
        is_own = own != (tuple(value) if isinstance(value, list) else value)
        lines.append(f"  {key} = {toml_value(own)}{'  # your own' if is_own else ''}")
    return lines


def _input(each: Input) -> str:
    what = _SHOWN[each.format][0]
    if each.format in _WITH_KEYS:
        what += f", one reading if an object has the field {each.value_key}, else one for each number in it"
    when = "the time of arrival"
    if each.time == "payload" and each.format in _WITH_KEYS and each.time_keys:
        keys = " or ".join(filter(None, (", ".join(each.time_keys[:-1]), each.time_keys[-1])))
        when = f"the field {keys}, in {each.zone} unless it has an offset, else the time of arrival"
    if each.time == "payload" and each.format in _WITH_TIMES:
        when = _WITH_TIMES[each.format].format(precision=each.precision)
    text = f"{each.topic}: {what}. QoS {each.qos}. Time: {when}."
    if each.values:
        text += f" {', '.join(f'{name} counts as {value:g}' for name, value in each.values.items())}."
    if each.availability is not None:
        text += f" {each.availability} says whether a device is there."
    if each.repetition == "on_change":
        text += " Sensors send changes only, so neither silence nor a value that stays is a fault."
    elif each.repetition == "full_repeat":
        text += " Sensors repeat what hasn't changed, so neither a repeated value nor silence means anything."
    return text


def example(each: Input) -> tuple[str, str | None]:
    """A topic that an input matches, and the name that its sensor gets; None if that is not usable."""
    letters = iter("abcdefghijklmnopqrstuvwxyz" * (LONGEST_NAME // 26 + 1))
    spelled = {"+": lambda: next(letters), "#": lambda: f"{next(letters)}/{next(letters)}"}
    topic = "/".join(spelled[level]() if level in spelled else level for level in each.topic.split("/"))
    levels = match(each.topic.split("/"), topic.split("/")) or []
    route = Route(each.topic, each.sensor, NumberDecoder(), Repetition.PERIODIC)
    said = "".join(f"{asked.rpartition('.')[2].removesuffix('?').upper()}{OF}" for asked in sender_of(each.sensor))
    return topic, Resolved(route, topic, levels).sensor(f"{said}{_SHOWN[each.format][2]}")


def _rules(configuration: Configuration) -> None:
    heading("Sensors and their detectors (the first pattern that matches a sensor's name applies)")
    for rule in configuration.profiles:
        notes = ", ".join(each for each in (rule.description, rule.unit and f"in {rule.unit}") if each)
        about = f" ({notes})" if notes else ""
        which = "every other sensor" if rule.name == "**" and rule.index else rule.name
        which = "every sensor" if rule.name == "**" and not rule.index else which
        bullet(f"{which}{about}: {_watched(rule)}")
        wished = _wishes(rule)
        if wished:
            paragraph(wished, indent=4)
        for detector in rule.detectors:
            set_here = _differences(detector)
            if set_here:
                term(detector.name, set_here, indent=6, column=12)
        if not rule.detectors:
            continue
        if rule.incidents == configuration.incidents and rule is not configuration.profiles[-1]:
            paragraph("Incidents begin and end as those of every other sensor, below.", indent=4)
        else:
            paragraph(_alarm(rule), indent=4)
    click.echo()


def _watched(rule: ResolvedRule) -> str:
    if not rule.detectors:
        return "not watched, as all of its detectors are switched off."
    return f"{', '.join(each.name for each in rule.detectors)}."


def _wishes(rule: ResolvedRule) -> str:
    """What the rule says of counters, of deviations that aren't told of, and of severities; empty if nothing."""
    wishes, said = rule.wishes, []
    if rule.counter is not None:
        said.append("They are counters." if rule.counter else "They are no counters.")
    if wishes.direction != "both":
        said.append(f"Of the values that aren't expected only those that are too {wishes.direction} are told of.")
    if wishes.least:
        said.append(f"Deviations of less than {f'{wishes.least:g} {rule.unit}'.strip()} aren't told of.")
    if wishes.weight != 1:
        said.append(f"Severities are those of scores {wishes.weight:g} times as far beyond their level.")
    return " ".join(said)


def _differences(detector: Detector) -> str:
    changed = []
    for parameter in parameters_of(type(detector)):
        value = getattr(detector, parameter.name)
        if value == parameter.default or value != value:  # noqa: PLR0124 - NaN is not set
            continue
        unit = f" {parameter.unit}" if parameter.unit else ""
        shown = str(value).lower() if isinstance(value, bool | str) else f"{value:g}"
        changed.append(f"{parameter.name} {shown}{unit}")
    return ", ".join(changed)


def _alarm(rule: ResolvedRule | ResolvedDevice) -> str:
    settings = rule.incidents
    profile = Profile(rule.detectors, settings)
    if settings.threshold is not None:
        chance = _one_in(settings.threshold)
        level = f"Surprise of {settings.threshold:g} decades, by chance one reading in {chance},"
    else:
        seconds = np.array([interval for _, interval in _INTERVALS])
        levels = profile.level_at(seconds)
        per = "; ".join(
            f"{each:.1f} with a reading a {name}" if name != "ten minutes" else f"{each:.1f} with one every {name}"
            for (name, _), each in zip(_INTERVALS, levels.tolist(), strict=True)
        )
        level = (
            f"Each sensor may cost a false alarm {_rarely(settings.false_alarms_per_sensor_per_day)}. "
            f"A level of surprise that is learned from its own scores (in its first hours, in decades: {per})"
        )
    again = "" if settings.raise_after == 1 else f" in {settings.raise_after} readings in a row"
    return (
        f"{level}{again} raises an incident. It is cleared by {settings.clear_after} readings in a row below "
        f"{settings.clear_ratio:.0%} of that level; after {_duration(settings.adopt_after_s)} its level "
        f"is taken as normal. Updates come at most every {_duration(settings.update_s)}."
    )


def _one_in(decades: float) -> str:
    return f"{10**decades:,.0f}" if decades <= 9 else f"10^{decades:g}"


def _rarely(per_day: float) -> str:
    if per_day >= 1:
        return f"{per_day:g} times a day"
    return f"about once in {1 / per_day:.3g} days"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:g} s"


def _devices(configuration: Configuration) -> None:
    if not configuration.devices:
        return
    heading("Devices, whose sensors are watched together too")
    for given, device in zip(configuration.devices, configuration.resolved_devices, strict=True):
        about = f" ({given.description})" if given.description else ""
        one = f"one device, {device.name}/" if device.name else "one device for each name without its last level"
        held = "three of its usual intervals" if device.hold_s is None else f"{device.hold_s:g} s"
        bullet(f"{', '.join(device.sensors)}{about}: {one}, by {', '.join(each.name for each in device.detectors)}.")
        paragraph(
            f"The first {given.channels} sensors of a device are looked at, after {given.warm_up:,} rows of readings; "
            f"a sensor's last value counts for {held}.",
            indent=4,
        )
        if device.incidents != configuration.incidents:
            paragraph(_alarm(device), indent=4)
    click.echo()


def _outputs(configuration: Configuration) -> None:
    topics = Topics(configuration.gateway.topic_base)
    heading("What is published")
    for topic, meaning in (
        (topics.anomaly("SENSOR"), "every event of every incident, at least once, with an id that never changes"),
        (topics.state("SENSOR"), "ok or the open incident (retained)"),
        (topics.open, "all open incidents (retained)"),
        (topics.status, "online or offline, version, what kinds of faults are looked for (retained)"),
        (topics.health, "counters, backlog and limits (retained)"),
        (topics.shelved, "what is muted, and which maintenance windows stand (retained)"),
        (topics.result, _answers(configuration, topics)),
        (topics.gap, "what is missing, why, how much of it, and from when to when"),
        (topics.sensors, "sensors that were found or forgotten, up to 100 in a message"),
        (topics.dead_letter, "what was refused: topic, reason, the beginning of the payload in base64"),
    ):
        term(topic, meaning, column=max(28, len(topics.anomaly("SENSOR")) + 2))
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
    often = f"at most one message in {_duration(sink.interval_s)}"
    quiet = "" if sink.quiet is None else f"; {sink.quiet} ({sink.zone}) only from severity {sink.quiet_severity} on"
    return f"Notifications ({sink.title}) tell of incidents {from_on} of {', '.join(sink.sensors)}, {often}{quiet}."


def _home_assistant(told: HomeAssistantTable) -> str:
    if not told.enabled:
        return f"What Home Assistant was told below {told.prefix}/ is cleared."
    which = "all sensors" if told.sensors == ("**",) else f"sensors that {' or '.join(told.sensors)} fits"
    return (
        f"Home Assistant finds {which} below {told.prefix}/, {told.most_sensors:,} at most and those found first, "
        f"and is told again when it says {told.birth_payload} on {told.hears}."
    )


def _answers(configuration: Configuration, topics: Topics) -> str:
    if configuration.commands.enabled:
        return f"what became of each command on {topics.command('NAME')}"
    return "nothing: commands.enabled is false, so no command is followed"


def _store(configuration: Configuration) -> None:
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


def _limits(configuration: Configuration) -> None:
    limits = configuration.limits
    heading("What is taken at most")
    paragraph(
        f"{limits.sensors:,} sensors; payloads of {size(limits.payload_bytes)} with "
        f"{limits.readings_per_message:,} readings and {limits.depth} levels; times from "
        f"{limits.earliest.isoformat()} on and up to {_duration(limits.future_s)} ahead; "
        f"{limits.receive_messages:,} messages or {size(limits.receive_bytes)} that wait; "
        f"{limits.dead_letters_per_minute:,} reports of refused messages a minute. The log begins at "
        f"{configuration.log.level}."
    )
