"""Warnings: valid settings that are probably mistakes."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from config.gateway_topics import GatewayTopics
from config.notation.topics import common_filter, covers, overlap, placeholders, wildcards_of
from config.schema import Configuration
from config.tables.common.fields import FieldFault
from config.tables.convention import conventions
from config.tables.transport import LOOPBACK
from detectors.parameters import parameters_of


def doubts_of(configuration: Configuration) -> list[FieldFault]:
    """All warnings about a valid configuration."""
    return [
        *_about_inputs(configuration),
        *_about_rules(configuration),
        *_about_devices(configuration),
        *_about_connections(configuration),
        *_about_kafka(configuration),
        *_about_sinks(configuration),
    ]


def _about_inputs(configuration: Configuration) -> Iterator[FieldFault]:
    base = configuration.gateway.topic_base
    gateways = GatewayTopics(configuration.gateway.base, configuration.gateway.name)
    for index, each in enumerate(configuration.inputs):
        path = ("input", index)
        if each.topic != "#" and overlap(each.topic, f"{base}/+/#"):
            yield FieldFault((*path, "topic"), f"also matches our own topics below {base}/; those are never read")
        wider = next((one for one in range(index) if covers(configuration.inputs[one].topic, each.topic)), None)
        if wider is not None and not gateways.asks(each.topic.split("/")):
            yield FieldFault((*path, "topic"), f"is never used: input[{wider}] takes all of its topics first")
        yield from _about_overlaps(configuration, index)
        used = placeholders(each.sensor)
        numbered = {str(number) for number in range(1, wildcards_of(each.topic) + 1)}
        is_usual = each.convention is not None and each.sensor == conventions()[each.convention].keys["sensor"]
        if "topic" not in used and numbered - used and not is_usual:
            missing = ", ".join(f"{{{number}}}" for number in sorted(numbered - used, key=int))
            yield FieldFault((*path, "sensor"), f"may give different topics the same name: it leaves out {missing}")


def _about_overlaps(configuration: Configuration, index: int) -> Iterator[FieldFault]:
    """Without MQTT 5, a broker that delivers a message once for each filter doesn't identify the filter."""
    if configuration.broker.version != "3.1.1":
        return
    topic = configuration.inputs[index].topic
    for other in (each.topic for each in configuration.inputs[:index]):
        if overlap(other, topic) and not covers(other, topic) and not covers(topic, other):
            both = common_filter(other, topic)
            if both is not None:
                message = f'overlaps {other}: {both} is subscribed to for both, unless broker.version = "5"'
                yield FieldFault(("input", index, "topic"), message)
                continue
            message = f'overlaps {other}: messages that match both may be counted twice, unless broker.version = "5"'
            yield FieldFault(("input", index, "topic"), message)


def _about_rules(configuration: Configuration) -> Iterator[FieldFault]:
    rules = configuration.rules
    for index, rule in enumerate(rules):
        before = [one for one in range(index) if rules[one].sensors in {"**", rule.sensors}]
        if before:
            yield FieldFault(
                ("rule", index, "sensors"), f"is never used: rule[{before[0]}] takes all of its sensors first"
            )

    for resolved in configuration.profiles[: len(rules)]:
        for key in ("direction", "least") if not any(each.scores_readings for each in resolved.detectors) else ():
            if key in resolved.preferences.as_plain():
                yield FieldFault(("rule", resolved.index, key), "does nothing: no detector of the rule learns")
        for detector in resolved.detectors:
            settable = [each.name for each in parameters_of(type(detector)) if _is_nan(each.default)]
            if len(settable) > 1 and all(_is_nan(getattr(detector, name)) for name in settable):
                message = f"watches nothing: none of {', '.join(settable)} is set"
                yield FieldFault(("rule", resolved.index, "detectors", detector.name), message)


def _about_devices(configuration: Configuration) -> Iterator[FieldFault]:
    taken: dict[str, int] = {}
    for index, device in enumerate(configuration.devices):
        before = [taken[glob] for glob in ("**", *device.sensors) if glob in taken]
        if "**" in taken or all(glob in taken for glob in device.sensors):
            yield FieldFault(
                ("device", index, "sensors"), f"is never used: device[{before[0]}] takes all of its sensors first"
            )
        for glob in device.sensors:
            taken.setdefault(glob, index)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _about_connections(configuration: Configuration) -> Iterator[FieldFault]:
    for name, connection in (("broker", configuration.broker), ("upstream", configuration.upstream)):
        if connection is None:
            continue
        if connection.password_env is not None and connection.password_env not in os.environ:
            yield FieldFault((name, "password_env"), f"the variable {connection.password_env} isn't set in this shell")
        if connection.username is not None and connection.tls is None and connection.host not in LOOPBACK:
            yield FieldFault((name, "username"), "the password crosses the network in plain text without a tls table")
        if connection.tls is not None and connection.port == 1883:
            yield FieldFault((name, "port"), "is the usual port without encryption; with it, 8883 is usual")


def _about_kafka(configuration: Configuration) -> Iterator[FieldFault]:
    kafka = configuration.kafka
    if kafka is None:
        return
    if kafka.password_env is not None and kafka.password_env not in os.environ:
        yield FieldFault(("kafka", "password_env"), f"the variable {kafka.password_env} isn't set in this shell")
    far = [each for each in kafka.brokers if each.rpartition(":")[0] not in LOOPBACK]
    if kafka.username is not None and kafka.tls is None and far:
        words = "the password crosses the network in plain text without a tls table"
        yield FieldFault(("kafka", "username"), words)


def _about_sinks(configuration: Configuration) -> Iterator[FieldFault]:
    for index, each in enumerate(configuration.sinks):
        for key in ("password_env", "token_env", "secret_env", "address_env"):
            variable = getattr(each, key)
            if variable is not None and variable not in os.environ:
                yield FieldFault(("sink", index, key), f"the variable {variable} isn't set in this shell")
        if each.kind == "mqtt" and each.username is not None and each.tls is None and each.host not in LOOPBACK:
            yield FieldFault(
                ("sink", index, "username"), "the password crosses the network in plain text without a tls table"
            )
        url = urlsplit(each.url or "")
        if url.scheme in {"http", "amqp"} and url.hostname not in LOOPBACK:
            yield FieldFault(
                ("sink", index, "url"), f"events cross the network in plain text; {url.scheme}s:// encrypts them"
            )
