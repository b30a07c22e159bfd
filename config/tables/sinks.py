"""The table `[[sink]]`: further receivers of events, with filters and limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from config.notation.calendar import Window, rule_problem
from config.notation.hosts import host_problem
from config.notation.topics import glob_problem
from config.tables.fields import FieldFault, ReadableFile, checked, refuse, refuse_all
from config.tables.transport import Connection, Credentials, Host, Tls, credential_problem, name_problem, zone_problem

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


Glob = Annotated[str, checked(glob_problem)]
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


class SinkTable(Credentials):
    """The sinks."""

    kind: Literal["webhook", "kafka", "rabbitmq", "mqtt", "notify"] = Field(description="Kind of receiver")
    name: Annotated[str, checked(name_problem)] | None = Field(
        None, description="Name of this sink, under which its position is stored; by default its kind"
    )
    begin: Literal["now", "beginning"] = Field(
        "now", alias="from", description="Where a new sink begins: with the next event, or with the oldest stored one"
    )
    severity: int = Field(1, ge=1, le=1000, description="Minimum severity of its events")
    sensors: tuple[Glob, ...] = Field(
        ("**",),
        strict=False,
        min_length=1,
        max_length=1000,
        description="Globs of the sensors whose events it receives",
    )
    transitions: tuple[Transition, ...] = Field(
        (), strict=False, description="Transitions that it receives; an empty list means all"
    )
    outbox_events: int = Field(
        200_000, ge=1000, le=100_000_000, description="Maximum number of events waiting for this sink"
    )
    outbox_bytes: int = Field(512 * MIB, ge=MIB, le=2**40, description="Maximum total size of events waiting for it")
    outbox_days: float = Field(30, gt=0, le=3650, description="Maximum age of an event waiting for it")
    tls: Tls | None = Field(None, description="Encryption; an empty table is enough for a public certificate")
    url: str | None = Field(None, min_length=1, max_length=2048, description="Where the events go")
    token_file: ReadableFile | None = Field(None, description="File that contains a bearer token")
    token_env: str | None = Field(None, min_length=1, description="Environment variable that contains it")
    token_credential: Annotated[str, checked(credential_problem)] | None = Field(
        None, description="systemd credential that contains it"
    )
    secret_file: ReadableFile | None = Field(None, description="File that contains the secret for signing events")
    secret_env: str | None = Field(None, min_length=1, description="Environment variable that contains it")
    secret_credential: Annotated[str, checked(credential_problem)] | None = Field(
        None, description="systemd credential that contains it"
    )
    timeout_s: float = Field(10, ge=1, le=300, description="Timeout for the receiver's answer")
    brokers: tuple[Broker, ...] = Field(
        (), strict=False, max_length=100, description="Bootstrap servers, each host:port"
    )
    topic: TopicName | None = Field(None, description="Where the events go")
    sasl: Literal["plain", "scram-sha-256", "scram-sha-512"] = Field("plain", description="SASL mechanism")

    address_file: ReadableFile | None = Field(None, description="File that contains the address to notify")
    address_env: str | None = Field(None, min_length=1, description="Environment variable that contains it")
    address_credential: Annotated[str, checked(credential_problem)] | None = Field(
        None, description="systemd credential that contains it"
    )
    group_s: float = Field(5, ge=0, le=20, description="Events within this time are combined into one message")
    interval_s: float = Field(
        60,
        ge=0,
        le=86_400,
        description="Minimum time between two messages; events in between are combined into the next one",
    )
    quiet: Annotated[str, checked(_quiet_problem)] | None = Field(
        None,
        description="Hours during which only urgent incidents are sent, such as 22:00-07:00 or Mon-Fri 22:00-06:00",
    )
    quiet_severity: int = Field(
        751, ge=1, le=1000, validate_default=True, description="Minimum severity of incidents sent during quiet hours"
    )
    zone: Annotated[str, checked(zone_problem)] = Field(
        "UTC", description="Time zone of quiet and of times in messages"
    )
    exchange: str = Field("amq.topic", max_length=255, description="Exchange to publish events to")
    host: Host | None = Field(None, min_length=1, max_length=253, description="Name or address of the broker")
    port: int = Field(1883, ge=1, le=65535, description="TCP port of the broker")
    client_id: str | None = Field(None, min_length=1, max_length=128, description="MQTT client id")
    keepalive_s: int = Field(30, ge=5, le=3600, description="Seconds after which an idle connection is probed")
    version: Literal["auto", "3.1.1", "5"] = Field("auto", description="MQTT version")
    check_delivery: bool = Field(
        True,
        description="With MQTT 3.1.1, an event is delivered once the gateway's own status, sent after it, is received",
    )

    @model_validator(mode="before")
    @classmethod
    def _keys_of_its_kind(cls, keys: object) -> object:
        kind = keys.get("kind") if isinstance(keys, dict) else None
        if not isinstance(keys, dict) or not isinstance(kind, str) or kind not in OF_KIND:
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
            raise refuse_all(faults)
        return keys

    @field_validator("kind")
    @classmethod
    def _is_installed(cls, kind: str) -> str:
        if kind in PACKAGES and find_spec(PACKAGES[kind]) is None:
            raise refuse(f"needs a package for {kind}: pip install 'edgewarden[{kind}]'")
        return kind

    @field_validator("brokers")
    @classmethod
    def _are_some(cls, brokers: tuple[str, ...]) -> tuple[str, ...]:
        if not brokers:
            raise refuse('must not be empty: write one or more, such as ["127.0.0.1:9092"]')
        return brokers

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        problem = None if url is None else url_problem(url, SCHEMES.get(info.data.get("kind", ""), ()))
        if problem:
            raise refuse(problem)  # without the value, which may hold a password
        return url

    @field_validator("url")
    @classmethod
    def _is_encrypted_with_tls(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None and info.data.get("tls") is not None and urlsplit(url).scheme in {"http", "amqp"}:
            raise refuse(f"must begin with {urlsplit(url).scheme}s:// if there is a tls table")
        return url

    @field_validator("quiet_severity")
    @classmethod
    def _holds_something_back(cls, severity: int, info: ValidationInfo) -> int:
        least = info.data.get("severity", 1)
        if info.data.get("quiet") is not None and severity <= least:
            raise refuse(f"must be above severity, which is {least}: otherwise quiet has no effect")
        return severity

    @field_validator(*_TOKEN, *_SECRET, *_ADDRESS, mode="before")
    @classmethod
    def _in_one_place(cls, value: object, info: ValidationInfo) -> object:
        what = (info.field_name or "").split("_")[0]
        for other in (f"{what}_file", f"{what}_env"):
            if value is not None and other != info.field_name and info.data.get(other) is not None:
                raise refuse(f"must not be given where {other} is")
        if value is not None and what == "token" and info.data.get("username") is not None:
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
        keys = [key for key in Connection.model_fields if key != "client_id"]
        client_id = self.client_id or f"edgewarden-{gateway}-{self.title}"
        return Connection.model_construct(**{key: getattr(self, key) for key in keys}, client_id=client_id)
