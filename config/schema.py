"""The configuration as a whole: all tables, the constraints between them, and the queries of the program.

gateway broker upstream          config.tables.transport
kafka forward                    config.tables.kafka
sink                             config.tables.sinks
input                            config.tables.inputs
incidents rule                   config.tables.detection
device                           config.tables.devices
commands maintenance             config.tables.operating
page                             config.tables.page
homeassistant                    config.tables.homeassistant
store limits log                 here
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from config.tables.common.fields import FieldFault, FieldPlace, InvalidValueError, StoreFile, Table, checks, refuse
from config.tables.detection import IncidentSettings, Preset, ResolvedRule, Rule, presets, resolve
from config.tables.devices import DeviceTable, ResolvedDevice, resolve_devices
from config.tables.homeassistant import HomeAssistantTable
from config.tables.inputs import Input
from config.tables.kafka.forwarding import ForwardTable
from config.tables.kafka.reading import KafkaTable, faults_of_inputs
from config.tables.operating import MOST_WINDOWS, Commands, MaintenanceTable
from config.tables.page import Page
from config.tables.sinks import SinkTable
from config.tables.transport import Broker, Connection, Gateway, Tls, Upstream

__all__ = [
    "Broker",
    "Configuration",
    "Connection",
    "DeviceTable",
    "ForwardTable",
    "Gateway",
    "HomeAssistantTable",
    "IncidentSettings",
    "Input",
    "KafkaTable",
    "LimitsTable",
    "Log",
    "Page",
    "Preset",
    "ResolvedDevice",
    "ResolvedRule",
    "Rule",
    "SinkTable",
    "StoreTable",
    "Tls",
    "Upstream",
    "presets",
    "repeated_topics",
]

MIB = 1024 * 1024
STORE = "edgewarden.db"


class StoreTable(Table):
    """The file that keeps events until they are delivered, and afterwards for a while."""

    path: Annotated[StoreFile, Meta(description="Path of the store's file", extra_json_schema={"default": STORE})] = (
        field(default_factory=lambda: Path(STORE))
    )
    durability: Annotated[
        Literal["power", "process"],
        Meta(description="What a committed event survives: a power failure, or only a crash of the process"),
    ] = "power"
    commit_s: Annotated[
        float,
        Meta(ge=0, le=60, description="Maximum time that readings wait to be committed together; events never wait"),
    ] = 3.0
    backlog_per_second: Annotated[
        float, Meta(ge=1, le=1_000_000, description="Events per second published from the backlog after an outage")
    ] = 500.0
    outbox_events: Annotated[
        int, Meta(ge=1000, le=100_000_000, description="Maximum number of events waiting for delivery")
    ] = 200_000
    outbox_bytes: Annotated[
        int, Meta(ge=MIB, le=2**40, description="Maximum total size of events waiting for delivery")
    ] = 512 * MIB
    outbox_days: Annotated[float, Meta(gt=0, le=3650, description="Maximum age of an event waiting for delivery")] = (
        30.0
    )
    free_disk_bytes: Annotated[int, Meta(ge=0, le=2**50, description="Minimum free disk space")] = 64 * MIB
    events_bytes: Annotated[int, Meta(ge=MIB, le=2**40, description="Maximum total size of delivered events")] = (
        256 * MIB
    )
    events_days: Annotated[float, Meta(gt=0, le=3650, description="Maximum age of delivered events")] = 30.0
    dead_letters: Annotated[int, Meta(ge=0, le=1_000_000, description="Number of dead letters to keep")] = 1000
    journal_days: Annotated[float, Meta(gt=0, le=3650, description="Maximum age of readings")] = 7.0
    journal_bytes: Annotated[int, Meta(ge=MIB, le=2**40, description="Maximum total size of readings")] = 128 * MIB


class LimitsTable(Table):
    """Upper limits, so that no sender can exhaust the gateway."""

    sensors: Annotated[int, Meta(ge=1, le=1_000_000, description="Maximum number of sensors")] = 10_000
    forget_days: Annotated[
        Annotated[float, Meta(gt=0, le=3650)] | None,
        Meta(description="Sensors silent for longer are forgotten; by default none are"),
    ] = None
    payload_bytes: Annotated[int, Meta(ge=1, le=256 * MIB, description="Size of a payload")] = 262_144
    depth: Annotated[int, Meta(ge=1, le=100, description="Maximum nesting depth of a payload")] = 8
    readings_per_message: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Maximum number of readings in one message")
    ] = 10_000
    future_s: Annotated[
        float, Meta(ge=0, le=31_536_000, description="Maximum time by which a reading may be ahead of its arrival")
    ] = 60.0
    reorder_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="Maximum delay of a reading that is still sorted by time; all readings wait this long",
        ),
    ] = 0.0
    earliest: Annotated[
        date, Meta(description="Earlier readings are refused, because their sender's clock was never set")
    ] = date(2000, 1, 1)
    receive_messages: Annotated[
        int, Meta(ge=10, le=10_000_000, description="Maximum number of messages waiting to be processed")
    ] = 10_000
    receive_bytes: Annotated[
        int, Meta(ge=65_536, le=2**40, description="Maximum total size of messages waiting to be processed")
    ] = 64 * MIB
    dead_letters_per_minute: Annotated[
        int,
        Meta(
            ge=0, le=100_000, description="Maximum number of dead letters per minute; all refused messages are counted"
        ),
    ] = 60

    @property
    def earliest_time(self) -> float:
        """The first moment of `earliest`, seconds since the epoch, UTC."""
        return datetime.combine(self.earliest, time(), UTC).timestamp()


class Log(Table):
    """The log."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Lowest level that is logged")] = (
        "info"
    )


def repeated_topics(topics: list[object]) -> list[FieldFault]:
    """Errors below `input` for topics that occur in an earlier input."""
    return _repeated(topics, "input", "topic")


def _repeated(values: Sequence[object], table: str, key: str) -> list[FieldFault]:
    """Errors for texts that an earlier table has under the same key."""
    faults = []
    for index, value in enumerate(values):
        first = values.index(value)
        if isinstance(value, str) and first < index:
            faults.append(FieldFault((index, key), f"stands in {table}[{first}] already"))
    return faults


class Configuration(Table, kw_only=True):
    """The complete, validated configuration."""

    gateway: Annotated[Gateway, Meta(description="This gateway")] = field(default_factory=Gateway)
    broker: Annotated[Broker, Meta(description="The sensors' broker")] = field(default_factory=Broker)
    upstream: Annotated[Upstream | None, Meta(description="Another broker for events")] = None
    sinks: Annotated[tuple[SinkTable, ...], Meta(max_length=20, description="Additional receivers of events")] = field(
        name="sink", default=()
    )
    forwards: Annotated[tuple[ForwardTable, ...], Meta(max_length=20, description="Forwarding of readings")] = field(
        name="forward", default=()
    )
    kafka: Annotated[
        KafkaTable | None, Meta(description="Kafka cluster from which readings are consumed, instead of broker")
    ] = None
    inputs: Annotated[tuple[Input, ...], Meta(description="The inputs", extra_json_schema={"minItems": 1})] = field(
        name="input"
    )
    incidents: Annotated[IncidentSettings, Meta(description="When incidents begin and end")] = field(
        default_factory=IncidentSettings
    )
    rules: Annotated[tuple[Rule, ...], Meta(description="Settings per sensor")] = field(name="rule", default=())
    devices: Annotated[tuple[DeviceTable, ...], Meta(description="Sensors that belong together")] = field(
        name="device", default=()
    )
    commands: Annotated[Commands, Meta(description="Commands over MQTT")] = field(default_factory=Commands)
    maintenance: Annotated[tuple[MaintenanceTable, ...], Meta(description="Maintenance windows")] = ()
    page: Annotated[Page | None, Meta(description="The web page")] = None
    homeassistant: Annotated[HomeAssistantTable | None, Meta(description="MQTT discovery for Home Assistant")] = None
    store: Annotated[StoreTable, Meta(description="The store")] = field(default_factory=StoreTable)
    limits: Annotated[LimitsTable, Meta(description="Limits on input")] = field(default_factory=LimitsTable)
    log: Annotated[Log, Meta(description="The log")] = field(default_factory=Log)

    @staticmethod
    @checks("kafka")
    def _not_beside_a_broker(kafka: KafkaTable | None, place: FieldPlace) -> KafkaTable | None:
        broker = place.earlier.get("broker")
        if kafka is not None and broker is not None and broker.given:
            raise refuse("must not be given where [broker] is: readings come from one of them")
        if kafka is not None and place.earlier.get("upstream") is None and place.earlier.get("sinks") == ():
            raise refuse("needs an [upstream] or a [[sink]]: events would go nowhere")
        return kafka

    @staticmethod
    @checks("commands")
    def _no_commands_with_kafka(commands: Commands, place: FieldPlace) -> Commands:
        if commands.enabled and place.earlier.get("kafka") is not None:
            words = "must be false with [kafka]: commands come from [broker]; the page has buttons for them"
            raise InvalidValueError([FieldFault(("enabled",), words)])
        return commands

    @staticmethod
    @checks("homeassistant")
    def _needs_a_broker(homeassistant: HomeAssistantTable | None, place: FieldPlace) -> HomeAssistantTable | None:
        if (
            homeassistant is not None
            and place.earlier.get("kafka") is not None
            and place.earlier.get("upstream") is None
        ):
            raise refuse("needs an MQTT broker: with [kafka] name it in [upstream]")
        return homeassistant

    @staticmethod
    @checks("inputs")
    def _no_topic_twice(inputs: tuple[Input, ...], place: FieldPlace) -> tuple[Input, ...]:
        if not inputs:
            raise refuse("must not be empty: at least one [[input]] must define what to read")
        faults = repeated_topics([each.topic for each in inputs])
        if place.earlier.get("kafka") is not None:
            faults += faults_of_inputs(inputs)
        if faults:
            raise InvalidValueError(faults)
        return inputs

    @staticmethod
    @checks("sinks")
    def _no_sink_twice(sinks: tuple[SinkTable, ...], _: FieldPlace) -> tuple[SinkTable, ...]:
        names = [each.title for each in sinks]
        faults = [
            FieldFault((index, "name"), f'must differ from that of sink[{names.index(name)}], is "{name}"')
            for index, name in enumerate(names)
            if names.index(name) < index
        ]
        if faults:
            raise InvalidValueError(faults)
        return sinks

    @staticmethod
    @checks("forwards")
    def _no_forward_twice(forwards: tuple[ForwardTable, ...], place: FieldPlace) -> tuple[ForwardTable, ...]:
        sinks = [each.title for each in place.earlier.get("sinks", ())]
        names = [*sinks, *(each.name for each in forwards)]
        faults = [
            FieldFault((index, "name"), f'must differ from those of sinks and other forwards, is "{each.name}"')
            for index, each in enumerate(forwards)
            if each.name in names[: len(sinks) + index]
        ]
        if faults:
            raise InvalidValueError(faults)
        return forwards

    @staticmethod
    @checks("maintenance")
    def _no_window_twice(windows: tuple[MaintenanceTable, ...], _: FieldPlace) -> tuple[MaintenanceTable, ...]:
        if len(windows) > MOST_WINDOWS:
            raise refuse(f"must be at most {MOST_WINDOWS} windows, are {len(windows)}")
        faults = _repeated([each.name for each in windows], "maintenance", "name")
        if faults:
            raise InvalidValueError(faults)
        return windows

    @staticmethod
    @checks("devices")
    def _no_device_twice(devices: tuple[DeviceTable, ...], _: FieldPlace) -> tuple[DeviceTable, ...]:
        faults = _repeated([each.name for each in devices], "device", "name")
        if faults:
            raise InvalidValueError(faults)
        return devices

    @property
    def inbound(self) -> Connection:
        """The connection for readings, with its client ID filled in."""
        return _with_client_id(self.broker, f"edgewarden-{self.gateway.name}")

    @property
    def outbound(self) -> Connection | None:
        """The connection for events, with its client ID filled in; None if it is the inbound one."""
        if self.upstream is None:
            return None
        return _with_client_id(self.upstream, f"edgewarden-{self.gateway.name}-upstream")

    @cached_property
    def profiles(self) -> tuple[ResolvedRule, ...]:
        """All rules with everything filled in; the last one matches every sensor."""
        return resolve(self.rules, self.incidents)

    def rule_for(self, sensor: str) -> ResolvedRule:
        """The first rule that matches a sensor's name. Callers cache the result."""
        return next(each for each in self.profiles if each.matches(sensor))

    @cached_property
    def resolved_devices(self) -> tuple[ResolvedDevice, ...]:
        """All device tables with everything filled in."""
        return resolve_devices(self.devices, self.incidents)

    def device_for(self, sensor: str) -> tuple[str, ResolvedDevice] | None:
        """The device of a sensor by the first table that matches it, or None. Callers cache the result."""
        for each in self.resolved_devices:
            name = each.device_of(sensor)
            if name is not None:
                return name, each
        return None

    def inputs_digest(self) -> str:
        """A SHA-256 in hexadecimal over everything that affects which sensors exist."""
        inputs = [each.decisive() for each in self.inputs]
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    def digest(self) -> str:
        """A SHA-256 in hexadecimal over everything that affects the events for given messages."""
        without = {"receive_messages", "receive_bytes", "dead_letters_per_minute"}
        limits = {key: value for key, value in self.limits.plain().items() if key not in without}
        decisive = {
            "gateway": self.gateway.name,
            "inputs": [each.decisive() for each in self.inputs],
            "limits": limits,
            "maintenance": [each.plain() for each in self.maintenance],
            "rules": [each.as_plain() for each in self.profiles],
            "devices": [each.as_plain() for each in self.resolved_devices],
        }
        return _digest_of(decisive)

    def digests(self) -> str:
        """`digest()`, a colon, and a SHA-256 over what the operator has written of that.

        The second stays the same when a new version has other defaults, presets or conventions.
        """
        tables = {"limits", "maintenance", "rule", "device", "incidents"}
        written = {key: value for key, value in self.plain(only_given=True).items() if key in tables}
        written["inputs"] = [each.written() for each in self.inputs]
        return f"{self.digest()}:{_digest_of({**written, 'gateway': self.gateway.name})}"


def _digest_of(content: object) -> str:
    text = json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _with_client_id(connection: Connection, client_id: str) -> Connection:
    return connection if connection.client_id else connection.replaced(client_id=client_id)
