"""The table `[[sink]]`: further receivers of events, with filters and limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, field, structs

from config.notation.calendar import Window, rule_problem
from config.notation.hosts import host_problem
from config.tables.common.fields import FieldFault, FieldPlace, InvalidValueError, ReadableFile, checked, checks, refuse
from config.tables.common.texts import ClientId, Credential, Glob, Host, Name, Variable, Zone
from config.tables.transport import Connection, Credentials, Tls

MIB = 1024 * 1024


def broker_problem(text: str) -> str | None:
    """The problem with the address of a broker, or None."""
    host, _, port = text.rpartition(":")
    if host_problem(host.strip("[]")) or not port.isdecimal() or not 0 < int(port) < 65_536:
        return "must be a host and a port, such as kafka.local:9092"
    return None


def topic_problem(text: str) -> str | None:
    """The problem with the name of a Kafka topic, or None."""
    if re.fullmatch(r"[A-Za-z0-9._-]{1,249}", text) and text not in {".", ".."}:
        return None
    return "must be 1 to 249 letters, digits, ., - or _"


def url_problem(url: str, schemes: tuple[str, ...]) -> str | None:
    """The problem with a URL, or None; never quotes it, because it may contain a password."""
    begins = " or ".join(f"{each}://" for each in schemes)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"must be a URL that begins with {begins}"
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        return f"must be a URL that begins with {begins} and has a host"
    if any(each <= " " or each >= "\x7f" for each in url):
        return "must not contain spaces, control characters or letters beyond ASCII: percent-encode them"
    if parts.username is not None or parts.password is not None:
        return "must not contain a user or password: write username, and password_file, password_env or ..._credential"
    if parts.fragment:
        return "must not contain #"
    return None


def quiet_rule(text: str) -> str:
    """The weekly window for quiet hours; without days, they apply every day."""
    return f"daily {text.strip()}" if text.strip()[:1].isdigit() else text.strip()


def _quiet_problem(text: str) -> str | None:
    if rule_problem(quiet_rule(text)) is None:
        return None
    return "isn't a time of day or week; write 22:00-07:00 or Mon-Fri 22:00-06:00"


Broker = Annotated[str, checked(broker_problem)]
TopicName = Annotated[str, checked(topic_problem)]
Transition = Literal["raised", "updated", "cleared", "acknowledged", "shelved", "unshelved", "expired"]

_TOKEN = ("token_file", "token_env", "token_credential")
_ADDRESS = ("address_file", "address_env", "address_credential")
_LOGIN = frozenset({"username", "password_file", "password_env", "password_credential", "tls"})
_SECRET = ("secret_file", "secret_env", "secret_credential")

OF_KIND: Mapping[str, frozenset[str]] = {
    "webhook": frozenset({"url", *_TOKEN, *_SECRET, "timeout_s"}),
    "kafka": frozenset({"brokers", "topic", "sasl"}),
    "rabbitmq": frozenset({"url", "exchange"}),
    "mqtt": frozenset({"host", "port", "client_id", "keepalive_s", "version", "check_delivery"}),
    "notify": frozenset({*_ADDRESS, "timeout_s", "group_s", "interval_s", "quiet", "quiet_severity", "zone"}),
}
"""Keys that only some kinds of sinks have."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "webhook": ("url",),
    "kafka": ("brokers", "topic"),
    "rabbitmq": ("url",),
    "mqtt": ("host",),
    "notify": ("address_file",),
}

PACKAGES: Mapping[str, str] = {"kafka": "confluent_kafka", "notify": "apprise", "rabbitmq": "pika"}
"""Packages that kinds need beyond the core install; the extra has the name of the kind."""

SCHEMES: Mapping[str, tuple[str, ...]] = {"webhook": ("https", "http"), "rabbitmq": ("amqps", "amqp")}


class SinkTable(Credentials, kw_only=True):
    """The sinks."""

    kind: Annotated[Literal["webhook", "kafka", "rabbitmq", "mqtt", "notify"], Meta(description="Kind of receiver")]
    name: Annotated[
        Name | None, Meta(description="Name of this sink, under which its position is stored; by default its kind")
    ] = None
    begin: Annotated[
        Literal["now", "beginning"],
        Meta(description="Where a new sink begins: with the next event, or with the oldest stored one"),
    ] = field(name="from", default="now")
    severity: Annotated[int, Meta(ge=1, le=1000, description="Minimum severity of its events")] = 1
    sensors: Annotated[
        tuple[Glob, ...],
        Meta(min_length=1, max_length=1000, description="Globs of the sensors whose events it receives"),
    ] = ("**",)
    transitions: Annotated[
        tuple[Transition, ...], Meta(description="Transitions that it receives; an empty list means all")
    ] = ()
    outbox_events: Annotated[
        int, Meta(ge=1000, le=100_000_000, description="Maximum number of events waiting for this sink")
    ] = 200_000
    outbox_bytes: Annotated[int, Meta(ge=MIB, le=2**40, description="Maximum total size of events waiting for it")] = (
        512 * MIB
    )
    outbox_days: Annotated[float, Meta(gt=0, le=3650, description="Maximum age of an event waiting for it")] = 30.0
    tls: Annotated[Tls | None, Meta(description="Encryption; an empty table is enough for a public certificate")] = None
    url: Annotated[
        Annotated[str, Meta(min_length=1, max_length=2048)] | None, Meta(description="Where the events go")
    ] = None
    token_file: Annotated[ReadableFile | None, Meta(description="File that contains a bearer token")] = None
    token_env: Annotated[Variable | None, Meta(description="Environment variable that contains it")] = None
    token_credential: Annotated[Credential | None, Meta(description="systemd credential that contains it")] = None
    secret_file: Annotated[
        ReadableFile | None, Meta(description="File that contains the secret for signing events")
    ] = None
    secret_env: Annotated[Variable | None, Meta(description="Environment variable that contains it")] = None
    secret_credential: Annotated[Credential | None, Meta(description="systemd credential that contains it")] = None
    timeout_s: Annotated[float, Meta(ge=1, le=300, description="Timeout for the receiver's answer")] = 10.0
    brokers: Annotated[tuple[Broker, ...], Meta(max_length=100, description="Bootstrap servers, each host:port")] = ()
    topic: Annotated[TopicName | None, Meta(description="Where the events go")] = None
    sasl: Annotated[Literal["plain", "scram-sha-256", "scram-sha-512"], Meta(description="SASL mechanism")] = "plain"

    address_file: Annotated[ReadableFile | None, Meta(description="File that contains the address to notify")] = None
    address_env: Annotated[Variable | None, Meta(description="Environment variable that contains it")] = None
    address_credential: Annotated[Credential | None, Meta(description="systemd credential that contains it")] = None
    group_s: Annotated[
        float, Meta(ge=0, le=20, description="Events within this time are combined into one message")
    ] = 5.0
    interval_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="Minimum time between two messages; events in between are combined into the next one",
        ),
    ] = 60.0
    quiet: Annotated[
        Annotated[str, checked(_quiet_problem)] | None,
        Meta(
            description="Hours during which only urgent incidents are sent, such as 22:00-07:00 or Mon-Fri 22:00-06:00"
        ),
    ] = None
    quiet_severity: Annotated[
        int, Meta(ge=1, le=1000, description="Minimum severity of incidents sent during quiet hours")
    ] = 751
    zone: Annotated[Zone, Meta(description="Time zone of quiet and of times in messages")] = "UTC"
    exchange: Annotated[str, Meta(max_length=255, description="Exchange to publish events to")] = "amq.topic"
    host: Annotated[Host | None, Meta(description="Name or address of the broker")] = None
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of the broker")] = 1883
    client_id: Annotated[ClientId | None, Meta(description="MQTT client id")] = None
    keepalive_s: Annotated[int, Meta(ge=5, le=3600, description="Seconds after which an idle connection is probed")] = (
        30
    )
    version: Annotated[Literal["auto", "3.1.1", "5"], Meta(description="MQTT version")] = "auto"
    check_delivery: Annotated[
        bool,
        Meta(
            description="With MQTT 3.1.1, an event is delivered once the gateway's own status,"
            " sent after it, is received"
        ),
    ] = True

    @classmethod
    def completed(cls, keys: Mapping[str, Any]) -> Mapping[str, Any]:
        """The keys as they are, if those of its kind are there and no others."""
        kind = keys.get("kind")
        if not isinstance(kind, str) or kind not in OF_KIND:
            return keys
        others = frozenset().union(*OF_KIND.values()) - OF_KIND[kind]
        others |= _LOGIN if kind == "notify" else frozenset()
        faults = [FieldFault((key,), f'does not apply to kind = "{kind}"') for key in keys if key in others]
        faults += [
            FieldFault((key,), f'must be given for kind = "{kind}"')
            for key in REQUIRED[kind]
            if key not in keys and not (key in _ADDRESS and any(each in keys for each in _ADDRESS))
        ]
        if faults:
            raise InvalidValueError(faults)
        return keys

    @staticmethod
    @checks("kind")
    def _is_installed(kind: str, _: FieldPlace) -> str:
        if kind in PACKAGES and find_spec(PACKAGES[kind]) is None:
            raise refuse(f"needs a package for {kind}: pip install 'edgewarden[{kind}]'")
        return kind

    @staticmethod
    @checks("brokers")
    def _are_some(brokers: tuple[str, ...], _: FieldPlace) -> tuple[str, ...]:
        if not brokers:
            raise refuse('must not be empty: write one or more, such as ["127.0.0.1:9092"]')
        return brokers

    @staticmethod
    @checks("url")
    def _is_a_url(url: str | None, place: FieldPlace) -> str | None:
        schemes = SCHEMES.get(place.earlier.get("kind", ""), ())
        problem = url_problem(url, schemes) if url is not None and schemes else None
        if problem:
            raise refuse(problem)  # without the value, which may hold a password
        return url

    @staticmethod
    @checks("url")
    def _is_encrypted_with_tls(url: str | None, place: FieldPlace) -> str | None:
        if url is not None and place.earlier.get("tls") is not None and urlsplit(url).scheme in {"http", "amqp"}:
            raise refuse(f"must begin with {urlsplit(url).scheme}s:// if there is a tls table")
        return url

    @staticmethod
    @checks("quiet_severity", absent=True)
    def _holds_something_back(severity: int, place: FieldPlace) -> int:
        least = place.earlier.get("severity", 1)
        if place.earlier.get("quiet") is not None and severity <= least:
            raise refuse(f"must be above severity, which is {least}: otherwise quiet has no effect")
        return severity

    @staticmethod
    @checks(*_TOKEN, *_SECRET, *_ADDRESS, first=True)
    def _in_one_place(value: object, place: FieldPlace) -> object:
        what = place.key.split("_")[0]
        for other in (f"{what}_file", f"{what}_env"):
            if value is not None and other != place.key and place.earlier.get(other) is not None:
                raise refuse(f"must not be given where {other} is")
        if value is not None and what == "token" and place.earlier.get("username") is not None:
            raise refuse("must not be given where username is")
        return value

    def quiet_window(self) -> Window | None:
        """The window in which only urgent events are sent; None for never."""
        if self.quiet is None:
            return None
        return Window("quiet", "**", every=quiet_rule(self.quiet), zone=self.zone)

    @property
    def title(self) -> str:
        """The sink's name, or its kind if it has none."""
        return self.name or self.kind

    def connection(self, gateway: str) -> Connection:
        """The connection to an MQTT broker, with a client ID derived from the gateway's name."""
        values = {each.name: getattr(self, each.name) for each in structs.fields(Connection)}
        return Connection(**{**values, "client_id": self.client_id or f"edgewarden-{gateway}-{self.title}"})
