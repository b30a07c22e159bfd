"""Assembly of sinks: from their tables to what their threads need, with every secret resolved."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote, urlsplit

from config.passwords import password_of, secret_of, token_of
from config.schema import Configuration, SinkTable
from edge.shell.activity.status import status_json
from edge.shell.link import TlsOptions
from edge.shell.options import ServiceOptions
from edge.shell.service.link_assembly import link_options, tls_options
from edge.shell.sinks.options import How, KafkaOptions, Login, MqttOptions, RabbitmqOptions, SinkOptions, WebhookOptions
from edge.shell.store.sink_reading import SinkLimits, Wanted


def sinks_of(configuration: Configuration, options: ServiceOptions) -> list[SinkOptions]:
    """The sinks of a configuration.

    Args:
        configuration: The configuration.
        options: The loop's options, for the client id.

    Raises:
        PasswordError: A password, a token or a secret can't be had.
    """
    free = configuration.store.free_disk_bytes
    return [
        SinkOptions(
            name=each.title,
            kind=each.kind,
            how=_how(each, configuration, options),
            wanted=Wanted(each.severity, each.transitions, each.sensors),
            begin=each.begin,
            limits=SinkLimits(each.outbox_events, each.outbox_bytes, each.outbox_days, free),
        )
        for each in configuration.sinks
    ]


def _how(sink: SinkTable, configuration: Configuration, options: ServiceOptions) -> How:
    if sink.kind == "mqtt":
        return _mqtt(sink, configuration, options)
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
