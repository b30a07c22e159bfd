"""The configuration of sinks, with secrets resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from config.notation.calendar import Window
from edge.shell.link import LinkOptions, TlsOptions
from edge.shell.store.reading.sink_reading import SinkLimits, Wanted


@dataclass(frozen=True)
class Login:
    """A user and a password; neither is ever shown."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WebhookOptions:
    """The settings of a webhook.

    Attributes:
        url: The URL that events are posted to; `http` or `https`.
        login: User and password of HTTP's basic authentication.
        token: Bearer token.
        secret: The secret that events are signed with.
        timeout_s: Timeout in seconds for connecting, and for an answer as a whole.
        tls: Certificates, where other ones than the system's count.
    """

    url: str
    login: Login = Login()
    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0
    tls: TlsOptions | None = None


@dataclass(frozen=True)
class KafkaOptions:
    """The settings of an Apache Kafka cluster.

    Attributes:
        brokers: Bootstrap servers, each `host:port`.
        topic: The topic that events are produced to.
        login: User and password of SASL.
        sasl: Its mechanism: `plain`, `scram-sha-256` or `scram-sha-512`.
        tls: Encryption, or None.
    """

    brokers: tuple[str, ...]
    topic: str
    login: Login = Login()
    sasl: str = "plain"
    tls: TlsOptions | None = None


@dataclass(frozen=True)
class RabbitmqOptions:
    """The settings of a RabbitMQ broker.

    Attributes:
        host: Its name or address.
        port: Its TCP port.
        vhost: The virtual host.
        exchange: The exchange; empty for the default one.
        login: User and password.
        tls: Encryption, or None.
    """

    host: str
    port: int
    vhost: str = "/"
    exchange: str = "amq.topic"
    login: Login = Login()
    tls: TlsOptions | None = None


@dataclass(frozen=True)
class MqttOptions:
    """The settings of another MQTT broker.

    Attributes:
        link: The connection.
        status: The topic of our status, and its payload while we are there and when we go.
    """

    link: LinkOptions
    status: tuple[str, bytes, bytes]


@dataclass(frozen=True)
class NotifyOptions:
    """Whom to notify, and how often.

    Attributes:
        address: One of Apprise's addresses; all of it is secret.
        gateway: The gateway's name, for the titles.
        group_s: Events within this time make one message.
        interval_s: Minimum time between two messages.
        timeout_s: How long the service may take for an answer.
        zone: Time zone of the times in it.
        quiet: When nothing is sent; None for never.
        most: Events in one message, at most.
    """

    address: str = field(repr=False)
    gateway: str = ""
    group_s: float = 5.0
    interval_s: float = 60.0
    timeout_s: float = 10.0
    zone: str = "UTC"
    quiet: Window | None = None
    most: int = 500


How = WebhookOptions | KafkaOptions | RabbitmqOptions | MqttOptions | NotifyOptions


@dataclass(frozen=True)
class SinkOptions:
    """One sink.

    Attributes:
        name: Its name; how far it has come is kept under it.
        kind: The kind of sink.
        how: The settings of its receiver.
        wanted: Which events it gets.
        begin: Where it begins if the store has no position for it.
        limits: The limits of its backlog.
        follows: A sink whose position it takes over, if the store has none for it.
    """

    name: str
    kind: str
    how: How
    wanted: Wanted = field(default_factory=Wanted)
    begin: Literal["now", "beginning"] = "now"
    limits: SinkLimits = field(default_factory=SinkLimits)
    follows: str = ""
