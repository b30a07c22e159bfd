"""Assembly of sinks: from their tables to the options of their threads, with every secret resolved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from config.schema import Configuration, ForwardTable, SinkTable
from config.tables.passwords import PasswordError, address_of, password_of, secret_of, token_of
from edge.core.cells import Placing
from edge.shell.activity.status import status_json
from edge.shell.link import TlsOptions
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.links import link_options, tls_options
from edge.shell.sinks.options import (
    ForwardOptions,
    How,
    KafkaOptions,
    Login,
    MqttOptions,
    NotifyOptions,
    RabbitmqOptions,
    SinkOptions,
    WebhookOptions,
)
from edge.shell.store.reading.sink_reading import EventSelection, SinkLimits

URGENT = ".urgent"
"""Suffix of the name of a sink's second half, which delivers during quiet hours; no table's name has it."""


def sinks_of(configuration: Configuration, options: ServiceOptions) -> list[SinkOptions]:
    """The sinks of a configuration.

    Args:
        configuration: The configuration.
        options: The loop's options, for the client ID.

    Raises:
        PasswordError: A password, a token or a secret can't be obtained.
    """
    sinks = [made for each in configuration.sinks for made in _sinks_of(each, configuration, options)]
    return sinks + [_forward_of(each, configuration) for each in configuration.forwards]


def _forward_of(table: ForwardTable, configuration: Configuration) -> SinkOptions:
    gateway = configuration.gateway.name
    login = Login(table.username, password_of(table))
    cluster = KafkaOptions(table.brokers, table.topic, login, table.sasl, tls_options(table.tls))
    placing = Placing(1, configuration.device_for)
    prefix = table.prefix.replace("{gateway}", gateway)
    how = ForwardOptions(cluster, gateway, table.sensors, prefix, placing.device, configuration.resolved_devices)
    return SinkOptions(name=table.name, kind="forward", how=how, begin=table.begin)


def _sinks_of(sink: SinkTable, configuration: Configuration, options: ServiceOptions) -> Iterator[SinkOptions]:
    """The sinks of a table: one, or with quiet hours another one for what is delivered during them."""
    free = configuration.store.free_disk_bytes
    made = SinkOptions(
        name=sink.title,
        kind=sink.kind,
        how=_how(sink, configuration, options),
        wanted=EventSelection(sink.severity, sink.transitions, sink.sensors),
        begin=sink.begin,
        limits=SinkLimits(sink.outbox_events, sink.outbox_bytes, sink.outbox_days, free),
    )
    if not isinstance(made.how, NotifyOptions):
        yield made
        return
    wanted = made.wanted._replace(once=not sink.transitions)
    if made.how.quiet is None:
        yield replace(made, wanted=wanted)
        return
    yield replace(made, wanted=wanted._replace(below=sink.quiet_severity))
    yield replace(
        made,
        name=f"{sink.title}{URGENT}",
        how=replace(made.how, quiet=None),
        wanted=wanted._replace(severity=sink.quiet_severity, gaps=False),
        follows=sink.title,
    )


def _how(sink: SinkTable, configuration: Configuration, options: ServiceOptions) -> How:
    if sink.kind == "mqtt":
        return _mqtt(sink, configuration, options)
    if sink.kind == "notify":
        return _notify(sink, configuration)
    login = Login(sink.username, password_of(sink))
    if sink.kind == "kafka":
        return KafkaOptions(sink.brokers, sink.topic or "", login, sink.sasl, tls_options(sink.tls))
    if sink.kind == "rabbitmq":
        url = urlsplit(sink.url or "")
        is_encrypted = url.scheme == "amqps"
        tls = tls_options(sink.tls) or (TlsOptions() if is_encrypted else None)
        vhost = unquote(url.path[1:]) or "/"
        port = url.port or (5671 if is_encrypted else 5672)
        return RabbitmqOptions(url.hostname or "", port, vhost, sink.exchange, login, tls)
    return WebhookOptions(
        url=sink.url or "",
        login=login,
        token=token_of(sink),
        secret=secret_of(sink),
        timeout_s=sink.timeout_s,
        tls=tls_options(sink.tls),
    )


def _notify(sink: SinkTable, configuration: Configuration) -> NotifyOptions:
    from edge.shell.sinks.notify import address_problem  # noqa: PLC0415 - needs an extra, and takes time

    address = (address_of(sink) or "").strip()
    problem = address_problem(address)
    if problem:
        raise PasswordError(f"the address of the sink {sink.title} {problem}")
    return NotifyOptions(
        address,
        configuration.gateway.name,
        sink.group_s,
        sink.interval_s,
        sink.timeout_s,
        sink.zone,
        sink.quiet_window(),
    )


def _mqtt(sink: SinkTable, configuration: Configuration, options: ServiceOptions) -> MqttOptions:
    topic, about = options.topics.status, options.about or {}
    online, offline = status_json("online", about), status_json("offline", about)
    made = link_options(sink.connection(configuration.gateway.name), configuration)
    link = replace(
        made,
        clean_session=True,
        linger_s=0.0,
        will=(topic, offline),
        echo=topic if sink.check_delivery else None,
    )
    return MqttOptions(link, (topic, online, offline))
