"""The section of `edgewarden check` about rules and devices: the detectors of each sensor."""

from __future__ import annotations

import click

from config.schema import Configuration, ResolvedRule
from detectors.base import Detector
from detectors.parameters import parameters_of
from edge.commands.explanation.alarms import describe_alarm
from edge.commands.support.printing.terminal import bullet, heading, paragraph, term


def describe_rules(configuration: Configuration) -> None:
    """Print the detectors of sensors and their false-alarm budget."""
    heading("Sensors and their detectors (the first pattern that matches a sensor's name applies)")
    for rule in configuration.profiles:
        notes = ", ".join(each for each in (rule.description, rule.unit and f"in {rule.unit}") if each)
        about = f" ({notes})" if notes else ""
        which = "every other sensor" if rule.name == "**" and rule.index else rule.name
        which = "every sensor" if rule.name == "**" and not rule.index else which
        bullet(f"{which}{about}: {_watched(rule)}")
        wished = _preferences(rule)
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
            paragraph(describe_alarm(rule), indent=4)
    if any(rule.peers is True and rule.detectors for rule in configuration.profiles):
        paragraph("Sensors of like names that move together are also compared with each other.", indent=4)
    if any(rule.companions and rule.detectors for rule in configuration.profiles):
        paragraph("So are the sensors of a device, whose names differ only in the last level.", indent=4)
    click.echo()


def _watched(rule: ResolvedRule) -> str:
    if not rule.detectors:
        return "not monitored, since all of its detectors are off."
    return f"{', '.join(each.name for each in rule.detectors)}."


def _preferences(rule: ResolvedRule) -> str:
    """Describe a rule's settings for counters, unreported deviations and severities; empty if there are none."""
    preferences, sentences = rule.preferences, []
    if rule.counter is not None:
        sentences.append("They are counters." if rule.counter else "They are no counters.")
    if preferences.direction != "both":
        sentences.append(f"Of the unexpected values only those that are too {preferences.direction} are told of.")
    if preferences.least:
        sentences.append(f"Deviations of less than {f'{preferences.least:g} {rule.unit}'.strip()} aren't reported.")
    if preferences.weight != 1:
        sentences.append(f"Severities are those of scores {preferences.weight:g} times as far beyond their level.")
    if isinstance(rule.peers, tuple):
        sentences.append(f"They are compared with each other, by {', '.join(rule.peers)}.")
    elif not rule.peers:
        sentences.append("They aren't compared with sensors of like names.")
    if not rule.companions:
        sentences.append("They aren't compared with the other sensors of their device.")
    return " ".join(sentences)


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


def describe_devices(configuration: Configuration) -> None:
    """Print the devices and their detectors; nothing if there are none."""
    if not configuration.devices:
        return
    heading("Devices, whose sensors are also monitored together")
    for given, device in zip(configuration.devices, configuration.resolved_devices, strict=True):
        about = f" ({given.description})" if given.description else ""
        one = f"one device, {device.name}/" if device.name else "one device for each name without its last level"
        held = "three of its usual intervals" if device.hold_s is None else f"{device.hold_s:g} s"
        bullet(f"{', '.join(device.sensors)}{about}: {one}, by {', '.join(each.name for each in device.detectors)}.")
        paragraph(
            f"The first {given.channels} sensors of a device are used, after {given.warm_up:,} rows of readings; "
            f"a sensor's last value counts for {held}.",
            indent=4,
        )
        if device.incidents != configuration.incidents:
            paragraph(describe_alarm(device), indent=4)
    click.echo()
