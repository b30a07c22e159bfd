"""The table `[[forward]]`: decoded readings are forwarded to a Kafka topic, for detection above gateways."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Literal

from msgspec import Meta, field

from config.tables.common.fields import FieldPlace, checked, checks, refuse
from config.tables.common.texts import Glob, Name
from config.tables.sinks import Broker, TopicName
from config.tables.transport import Credentials, Tls


def prefix_problem(prefix: str) -> str | None:
    """The problem with the prefix of sensor names, or None."""
    if prefix and (not prefix.isprintable() or any(each in prefix for each in "#+") or len(prefix) > 128):
        return "must be at most 128 printable characters, without # and +"
    return None


class ForwardTable(Credentials, kw_only=True):
    """Where readings are forwarded to."""

    kind: Annotated[Literal["kafka"], Meta(description="Kind of receiver")]
    name: Annotated[Name, Meta(description="Name of this table, under which its position is stored")] = "forward"
    brokers: Annotated[tuple[Broker, ...], Meta(max_length=100, description="Bootstrap servers, each host:port")]
    topic: Annotated[TopicName, Meta(description="The topic")]
    begin: Annotated[
        Literal["now", "beginning"],
        Meta(description="Where a new table begins: with the next reading, or with the oldest stored one"),
    ] = field(name="from", default="now")
    sensors: Annotated[
        tuple[Glob, ...],
        Meta(min_length=1, max_length=1000, description="Globs of the sensors whose readings are forwarded"),
    ] = ("**",)
    prefix: Annotated[
        str, checked(prefix_problem), Meta(description="Prefix of sensor names; {gateway} is the gateway's name")
    ] = "{gateway}/"
    sasl: Annotated[Literal["plain", "scram-sha-256", "scram-sha-512"], Meta(description="SASL mechanism")] = "plain"
    tls: Annotated[Tls | None, Meta(description="Encryption; an empty table is enough for a public certificate")] = None

    @staticmethod
    @checks("kind")
    def _has_its_package(kind: str, _: FieldPlace) -> str:
        if find_spec("confluent_kafka") is None:
            raise refuse("needs a package for kafka: pip install 'edgewarden[kafka]'")
        return kind

    @staticmethod
    @checks("brokers")
    def _has_brokers(brokers: tuple[str, ...], _: FieldPlace) -> tuple[str, ...]:
        if not brokers:
            raise refuse('must not be empty: write one or more, such as ["127.0.0.1:9092"]')
        return brokers
