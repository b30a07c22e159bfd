"""The table `[[forward]]`: decoded readings are forwarded to a Kafka topic, for detection above gateways."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import Field, field_validator

from config.tables.fields import checked, refuse
from config.tables.sinks import Broker, Glob, TopicName
from config.tables.transport import Credentials, Tls, name_problem


def prefix_problem(prefix: str) -> str | None:
    """The problem with the prefix of sensor names, or None."""
    if prefix and (not prefix.isprintable() or any(each in prefix for each in "#+") or len(prefix) > 128):
        return "must be at most 128 printable characters, without # and +"
    return None


class ForwardTable(Credentials):
    """Where readings are forwarded to."""

    kind: Literal["kafka"] = Field(description="Kind of receiver")
    name: Annotated[str, checked(name_problem)] = Field(
        "forward", description="Name of this table, under which its position is stored"
    )
    brokers: tuple[Broker, ...] = Field(strict=False, max_length=100, description="Bootstrap servers, each host:port")
    topic: TopicName = Field(description="The topic")
    begin: Literal["now", "beginning"] = Field(
        "now",
        alias="from",
        description="Where a new table begins: with the next reading, or with the oldest stored one",
    )
    sensors: tuple[Glob, ...] = Field(
        ("**",),
        strict=False,
        min_length=1,
        max_length=1000,
        description="Globs of the sensors whose readings are forwarded",
    )
    prefix: Annotated[str, checked(prefix_problem)] = Field(
        "{gateway}/", description="Prefix of sensor names; {gateway} is the gateway's name"
    )
    sasl: Literal["plain", "scram-sha-256", "scram-sha-512"] = Field("plain", description="SASL mechanism")
    tls: Tls | None = Field(None, description="Encryption; an empty table is enough for a public certificate")

    @field_validator("kind")
    @classmethod
    def _has_its_package(cls, kind: str) -> str:
        if find_spec("confluent_kafka") is None:
            raise refuse("needs a package for kafka: pip install 'edgewarden[kafka]'")
        return kind

    @field_validator("brokers")
    @classmethod
    def _has_brokers(cls, brokers: tuple[str, ...]) -> tuple[str, ...]:
        if not brokers:
            raise refuse('must not be empty: write one or more, such as ["127.0.0.1:9092"]')
        return brokers
