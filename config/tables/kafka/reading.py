"""The table `[kafka]`: readings come from topics of Apache Kafka, instead of from an MQTT broker."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, Literal

from msgspec import Meta, field

from config.tables.common.fields import FieldFault, FieldPlace, checked, checks, refuse
from config.tables.inputs import Input
from config.tables.sinks import Broker, topic_problem
from config.tables.transport import Credentials, Tls


def group_problem(name: str) -> str | None:
    """The problem with the name of a consumer group, or None."""
    if 1 <= len(name) <= 249 and name.isprintable() and name.strip() == name:
        return None
    return "must be 1 to 249 printable characters, without spaces around them"


class KafkaTable(Credentials, kw_only=True):
    """The Kafka cluster that the sensors' readings are in."""

    brokers: Annotated[tuple[Broker, ...], Meta(max_length=100, description="Bootstrap servers, each host:port")]
    group: Annotated[
        Annotated[str, checked(group_problem)] | None,
        Meta(
            description="Consumer group; workers of one group share the partitions. By default derived from the"
            " gateway's name"
        ),
    ] = None
    begin: Annotated[
        Literal["now", "beginning"],
        Meta(description="Where a new group begins: with the next record, or with the oldest one"),
    ] = field(name="from", default="now")
    session_s: Annotated[
        float, Meta(ge=6, le=1800, description="Seconds after which the partitions of a silent worker are reassigned")
    ] = 45.0
    sasl: Annotated[Literal["plain", "scram-sha-256", "scram-sha-512"], Meta(description="SASL mechanism")] = "plain"
    tls: Annotated[Tls | None, Meta(description="Encryption; an empty table is enough for a public certificate")] = None

    @staticmethod
    @checks("brokers")
    def _can_be_reached(brokers: tuple[str, ...], _: FieldPlace) -> tuple[str, ...]:
        if not brokers:
            raise refuse('must not be empty: write one or more, such as ["127.0.0.1:9092"]')
        if find_spec("confluent_kafka") is None:
            raise refuse("needs a package for kafka: pip install 'edgewarden[kafka]'")
        return brokers


def faults_of_inputs(inputs: tuple[Input, ...]) -> list[FieldFault]:
    """What keeps inputs from being read from Kafka, as faults below `input`."""
    faults = []
    for index, each in enumerate(inputs):
        topic = each.topic.split("/")[0]
        if topic in {"+", "#"}:
            words = "must begin with the name of a Kafka topic, without a wildcard, for [kafka]"
            faults.append(FieldFault((index, "topic"), words))
        elif problem := topic_problem(topic):
            faults.append(FieldFault((index, "topic"), f"must begin with the name of a Kafka topic, which {problem}"))
        if each.host_id is not None:
            faults.append(FieldFault((index, "host_id"), "needs an MQTT broker: nodes can't be reached over Kafka"))
    return faults
