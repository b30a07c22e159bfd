"""Assembly of sinks: from their tables to what their threads need, with every secret resolved."""

from __future__ import annotations

from config.passwords import password_of, secret_of, token_of
from config.schema import Configuration, Sink
from config.transport import Tls
from edge.shell.link import TlsOptions
from edge.shell.sinks.options import How, KafkaOptions, Login, SinkOptions, WebhookOptions
from edge.shell.store.sink_reading import SinkLimits, Wanted


def sinks_of(configuration: Configuration) -> list[SinkOptions]:
    """The sinks of a configuration.

    Raises:
        PasswordError: A password, a token or a secret can't be had.
    """
    free = configuration.store.free_disk_bytes
    return [
        SinkOptions(
            name=each.title,
            kind=each.kind,
            how=_how(each),
            wanted=Wanted(each.severity, each.transitions, each.sensors),
            begin=each.begin,
            limits=SinkLimits(each.outbox_events, each.outbox_bytes, each.outbox_days, free),
        )
        for each in configuration.sinks
    ]


def _how(sink: Sink) -> How:
    login = Login(sink.username, password_of(sink))
    if sink.kind == "kafka":
        return KafkaOptions(sink.brokers, sink.topic or "", login, sink.sasl, tls_options(sink.tls))
    return WebhookOptions(
        url=sink.url or "",
        login=login,
        token=token_of(sink),
        secret=secret_of(sink),
        timeout_s=sink.timeout_s,
        tls=tls_options(sink.tls),
    )


def tls_options(tls: Tls | None) -> TlsOptions | None:
    """The certificates of a `tls` table."""
    if tls is None:
        return None
    files = (tls.ca_file, tls.certificate_file, tls.key_file)
    return TlsOptions(*(None if each is None else str(each) for each in files))
