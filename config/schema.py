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
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from config.tables.detection import IncidentSettings, Preset, ResolvedRule, Rule, presets, resolve
from config.tables.devices import DeviceTable, ResolvedDevice, resolve_devices
from config.tables.fields import FieldFault, StoreFile, Table, refuse, refuse_all
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
    "configuration_json_schema",
    "presets",
    "repeated_topics",
]

MIB = 1024 * 1024
SCHEMA_NAME = "urn:edgewarden:configuration:v1"


def _as_date(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


class StoreTable(Table):
    """The file that keeps events until they are delivered, and afterwards for a while."""

    path: StoreFile = Field("edgewarden.db", validate_default=True, description="Path of the store's file")
    durability: Literal["power", "process"] = Field(
        "power", description="What a committed event survives: a power failure, or only a crash of the process"
    )
    commit_s: float = Field(
        3.0, ge=0, le=60, description="Maximum time that readings wait to be committed together; events never wait"
    )
    backlog_per_second: float = Field(
        500, ge=1, le=1_000_000, description="Events per second published from the backlog after an outage"
    )
    outbox_events: int = Field(
        200_000, ge=1000, le=100_000_000, description="Maximum number of events waiting for delivery"
    )
    outbox_bytes: int = Field(
        512 * MIB, ge=MIB, le=2**40, description="Maximum total size of events waiting for delivery"
    )
    outbox_days: float = Field(30, gt=0, le=3650, description="Maximum age of an event waiting for delivery")
    free_disk_bytes: int = Field(64 * MIB, ge=0, le=2**50, description="Minimum free disk space")
    events_bytes: int = Field(256 * MIB, ge=MIB, le=2**40, description="Maximum total size of delivered events")
    events_days: float = Field(30, gt=0, le=3650, description="Maximum age of delivered events")
    dead_letters: int = Field(1000, ge=0, le=1_000_000, description="Number of dead letters to keep")
    journal_days: float = Field(7, gt=0, le=3650, description="Maximum age of readings")
    journal_bytes: int = Field(128 * MIB, ge=MIB, le=2**40, description="Maximum total size of readings")


class LimitsTable(Table):
    """Upper limits, so that no sender can exhaust the gateway."""

    sensors: int = Field(10_000, ge=1, le=1_000_000, description="Maximum number of sensors")
    forget_days: float | None = Field(
        None, gt=0, le=3650, description="Sensors silent for longer are forgotten; by default none are"
    )
    payload_bytes: int = Field(262_144, ge=1, le=256 * MIB, description="Size of a payload")
    depth: int = Field(8, ge=1, le=100, description="Maximum nesting depth of a payload")
    readings_per_message: int = Field(
        10_000, ge=1, le=1_000_000, description="Maximum number of readings in one message"
    )
    future_s: float = Field(
        60, ge=0, le=31_536_000, description="Maximum time by which a reading may be ahead of its arrival"
    )
    reorder_s: float = Field(
        0,
        ge=0,
        le=86_400,
        description="Maximum delay of a reading that is still sorted by time; all readings wait this long",
    )
    earliest: Annotated[date, BeforeValidator(_as_date)] = Field(
        date(2000, 1, 1), description="Earlier readings are refused, because their sender's clock was never set"
    )
    receive_messages: int = Field(
        10_000, ge=10, le=10_000_000, description="Maximum number of messages waiting to be processed"
    )
    receive_bytes: int = Field(
        64 * MIB, ge=65_536, le=2**40, description="Maximum total size of messages waiting to be processed"
    )
    dead_letters_per_minute: int = Field(
        60, ge=0, le=100_000, description="Maximum number of dead letters per minute; all refused messages are counted"
    )

    @property
    def earliest_time(self) -> float:
        """The first moment of `earliest`, seconds since the epoch, UTC."""
        return datetime.combine(self.earliest, time(), UTC).timestamp()


class Log(Table):
    """The log."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged")


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


class Configuration(Table):
    """The complete, validated configuration."""

    gateway: Gateway = Field(default_factory=Gateway, description="This gateway")
    broker: Broker = Field(default_factory=Broker, description="The sensors' broker")
    upstream: Upstream | None = Field(None, description="Another broker for events")
    sinks: tuple[SinkTable, ...] = Field(
        (), alias="sink", strict=False, max_length=20, description="Additional receivers of events"
    )
    forwards: tuple[ForwardTable, ...] = Field(
        (), alias="forward", strict=False, max_length=20, description="Forwarding of readings"
    )
    kafka: KafkaTable | None = Field(
        None, description="Kafka cluster from which readings are consumed, instead of broker"
    )
    inputs: tuple[Input, ...] = Field(
        alias="input", strict=False, description="The inputs", json_schema_extra={"minItems": 1}
    )
    incidents: IncidentSettings = Field(default_factory=IncidentSettings, description="When incidents begin and end")
    rules: tuple[Rule, ...] = Field((), alias="rule", strict=False, description="Settings per sensor")
    devices: tuple[DeviceTable, ...] = Field(
        (), alias="device", strict=False, description="Sensors that belong together"
    )
    commands: Commands = Field(default_factory=Commands, description="Commands over MQTT")
    maintenance: tuple[MaintenanceTable, ...] = Field((), strict=False, description="Maintenance windows")
    page: Page | None = Field(None, description="The web page")
    homeassistant: HomeAssistantTable | None = Field(None, description="MQTT discovery for Home Assistant")
    store: StoreTable = Field(  # from an empty table, so that its path is placed in the file's folder like any other
        default_factory=lambda: cast("StoreTable", {}), validate_default=True, description="The store"
    )
    limits: LimitsTable = Field(default_factory=LimitsTable, description="Limits on input")
    log: Log = Field(default_factory=Log, description="The log")

    @field_validator("kafka")
    @classmethod
    def _not_beside_a_broker(cls, kafka: KafkaTable | None, info: ValidationInfo) -> KafkaTable | None:
        broker = info.data.get("broker")
        if kafka is not None and broker is not None and broker.model_fields_set:
            raise refuse("must not be given where [broker] is: readings come from one of them")
        if kafka is not None and info.data.get("upstream") is None and info.data.get("sinks") == ():
            raise refuse("needs an [upstream] or a [[sink]]: events would go nowhere")
        return kafka

    @field_validator("commands")
    @classmethod
    def _no_commands_with_kafka(cls, commands: Commands, info: ValidationInfo) -> Commands:
        if commands.enabled and info.data.get("kafka") is not None:
            words = "must be false with [kafka]: commands come from [broker]; the page has buttons for them"
            raise refuse_all([FieldFault(("enabled",), words)])
        return commands

    @field_validator("homeassistant")
    @classmethod
    def _needs_a_broker(
        cls, homeassistant: HomeAssistantTable | None, info: ValidationInfo
    ) -> HomeAssistantTable | None:
        if homeassistant is not None and info.data.get("kafka") is not None and info.data.get("upstream") is None:
            raise refuse("needs an MQTT broker: with [kafka] name it in [upstream]")
        return homeassistant

    @field_validator("inputs")
    @classmethod
    def _no_topic_twice(cls, inputs: tuple[Input, ...], info: ValidationInfo) -> tuple[Input, ...]:
        if not inputs:
            raise refuse("must not be empty: at least one [[input]] must define what to read")
        faults = repeated_topics([each.topic for each in inputs])
        if info.data.get("kafka") is not None:
            faults += faults_of_inputs(inputs)
        if faults:
            raise refuse_all(faults)
        return inputs

    @field_validator("sinks")
    @classmethod
    def _no_sink_twice(cls, sinks: tuple[SinkTable, ...]) -> tuple[SinkTable, ...]:
        names = [each.title for each in sinks]
        faults = [
            FieldFault((index, "name"), f'must differ from that of sink[{names.index(name)}], is "{name}"')
            for index, name in enumerate(names)
            if names.index(name) < index
        ]
        if faults:
            raise refuse_all(faults)
        return sinks

    @field_validator("forwards")
    @classmethod
    def _no_forward_twice(cls, forwards: tuple[ForwardTable, ...], info: ValidationInfo) -> tuple[ForwardTable, ...]:
        sinks = [each.title for each in info.data.get("sinks", ())]
        names = [*sinks, *(each.name for each in forwards)]
        faults = [
            FieldFault((index, "name"), f'must differ from those of sinks and other forwards, is "{each.name}"')
            for index, each in enumerate(forwards)
            if each.name in names[: len(sinks) + index]
        ]
        if faults:
            raise refuse_all(faults)
        return forwards

    @field_validator("maintenance")
    @classmethod
    def _no_window_twice(cls, windows: tuple[MaintenanceTable, ...]) -> tuple[MaintenanceTable, ...]:
        if len(windows) > MOST_WINDOWS:
            raise refuse(f"must be at most {MOST_WINDOWS} windows, are {len(windows)}")
        faults = _repeated([each.name for each in windows], "maintenance", "name")
        if faults:
            raise refuse_all(faults)
        return windows

    @field_validator("devices")
    @classmethod
    def _no_device_twice(cls, devices: tuple[DeviceTable, ...]) -> tuple[DeviceTable, ...]:
        faults = _repeated([each.name for each in devices], "device", "name")
        if faults:
            raise refuse_all(faults)
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
        limits = self.limits.model_dump(
            mode="json", exclude={"receive_messages", "receive_bytes", "dead_letters_per_minute"}
        )
        decisive = {
            "gateway": self.gateway.name,
            "inputs": [each.decisive() for each in self.inputs],
            "limits": limits,
            "maintenance": [each.model_dump(mode="json") for each in self.maintenance],
            "rules": [each.as_plain() for each in self.profiles],
            "devices": [each.as_plain() for each in self.resolved_devices],
        }
        return _digest_of(decisive)

    def digests(self) -> str:
        """`digest()`, a colon, and a SHA-256 over what the operator has written of that.

        The second stays the same when a new version has other defaults, presets or conventions.
        """
        tables = {"limits", "maintenance", "rules", "devices", "incidents"}
        written = self.model_dump(mode="json", include=tables, exclude_unset=True)
        written["inputs"] = [each.written() for each in self.inputs]
        return f"{self.digest()}:{_digest_of({**written, 'gateway': self.gateway.name})}"


def _digest_of(content: object) -> str:
    text = json.dumps(content, sort_keys=True, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _with_client_id(connection: Connection, client_id: str) -> Connection:
    return connection if connection.client_id else connection.model_copy(update={"client_id": client_id})


def configuration_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a configuration file, for editors."""
    schema = Configuration.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_NAME, **schema}
