"""What the configuration says of sinks, with secrets resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edge.shell.link import LinkOptions, TlsOptions
from edge.shell.store.sink_reading import SinkLimits, Wanted


@dataclass(frozen=True)
class Login:
    """A user and a password; neither is ever shown."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WebhookOptions:
    """How a webhook is reached.

    Attributes:
        url: Where events are posted to; `http` or `https`.
        login: User and password of HTTP's basic authentication.
        token: Bearer token.
        secret: What events are signed with.
        timeout_s: How long connecting, and an answer as a whole, may take.
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
    """How an Apache Kafka is reached.

    Attributes:
        brokers: Where to ask first, each `host:port`.
        topic: Where events are produced to.
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
    """How a RabbitMQ is reached.

    Attributes:
        host: Its name or address.
        port: Its TCP port.
        vhost: The virtual host.
        exchange: Where events are published to; empty for the default exchange.
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
    """How another MQTT broker is reached.

    Attributes:
        link: The connection.
        status: The topic of our status, and its payload while we are there and when we go.
    """

    link: LinkOptions
    status: tuple[str, bytes, bytes]


How = WebhookOptions | KafkaOptions | RabbitmqOptions | MqttOptions


@dataclass(frozen=True)
class SinkOptions:
    """One sink.

    Attributes:
        name: Its name; how far it has come is kept under it.
        kind: What is spoken there.
        how: How it is reached.
        wanted: Which events it gets.
        begin: Where it begins when the store doesn't know it.
        limits: How much may wait for it.
    """

    name: str
    kind: str
    how: How
    wanted: Wanted = field(default_factory=Wanted)
    begin: Literal["now", "beginning"] = "now"
    limits: SinkLimits = field(default_factory=SinkLimits)
