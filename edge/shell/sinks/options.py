"""The configuration of sinks, with secrets resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from config.notation.calendar import Window
from edge.shell.link import LinkOptions, TlsOptions
from edge.shell.store.reading.sink_reading import EventSelection, SinkLimits


@dataclass(frozen=True)
class Login:
    """User and password, which are never shown."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class WebhookOptions:
    """Settings of a webhook.

    Attributes:
        url: The URL that events are posted to; `http` or `https`.
        login: User and password of HTTP's basic authentication.
        token: Bearer token.
        secret: Secret for signing events.
        timeout_s: Timeout in seconds for connecting, and for an answer as a whole.
        tls: Certificates, if not those of the system.
    """

    url: str
    login: Login = Login()
    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0
    tls: TlsOptions | None = None


@dataclass(frozen=True)
class KafkaOptions:
    """Settings of an Apache Kafka cluster.

    Attributes:
        brokers: Bootstrap servers, each `host:port`.
        topic: The topic that events are produced to.
        login: User and password of SASL.
        sasl: SASL mechanism: `plain`, `scram-sha-256` or `scram-sha-512`.
        tls: Encryption, or None.
    """

    brokers: tuple[str, ...]
    topic: str
    login: Login = Login()
    sasl: str = "plain"
    tls: TlsOptions | None = None


@dataclass(frozen=True)
class ForwardOptions:
    """The settings of a forwarder of readings.

    Attributes:
        cluster: Where they go.
        gateway: Name of this gateway.
        sensors: Globs of the sensors whose readings are forwarded.
        prefix: Prefix of their names.
        device: Returns the part of a sensor's name that is common to a device.
        devices: What that depends on.
    """

    cluster: KafkaOptions
    gateway: str
    sensors: tuple[str, ...]
    prefix: str
    device: Callable[[str], str] = field(compare=False)
    devices: object = ()


@dataclass(frozen=True)
class RabbitmqOptions:
    """Settings of a RabbitMQ broker.

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
    """Settings of another MQTT broker.

    Attributes:
        link: Connection options.
        status: Topic of the status, and its payloads for online and offline.
    """

    link: LinkOptions
    status: tuple[str, bytes, bytes]


@dataclass(frozen=True)
class NotifyOptions:
    """Settings of a notification address.

    Attributes:
        address: Apprise address; all of it is secret.
        gateway: Name of the gateway, for titles.
        group_s: Events within this time form one message.
        interval_s: Minimum interval between two messages.
        timeout_s: Timeout for the service's answer.
        zone: Time zone for times in the text.
        quiet: Hours in which nothing is sent; None for no quiet hours.
        most: Maximum number of events in a message.
    """

    address: str = field(repr=False)
    gateway: str = ""
    group_s: float = 5.0
    interval_s: float = 60.0
    timeout_s: float = 10.0
    zone: str = "UTC"
    quiet: Window | None = None
    most: int = 500


How = WebhookOptions | KafkaOptions | RabbitmqOptions | MqttOptions | NotifyOptions | ForwardOptions


@dataclass(frozen=True)
class SinkOptions:
    """One sink.

    Attributes:
        name: Name, under which its position is stored.
        kind: The kind of sink.
        how: Settings of the receiver.
        wanted: Filter for its events.
        begin: Where to begin if the store has no position.
        limits: The limits of its backlog.
        follows: Another sink whose position to copy if the store has none.
    """

    name: str
    kind: str
    how: How
    wanted: EventSelection = field(default_factory=EventSelection)
    begin: Literal["now", "beginning"] = "now"
    limits: SinkLimits = field(default_factory=SinkLimits)
    follows: str = ""
