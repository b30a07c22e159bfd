"""The kinds of sinks; each is imported on demand, because some need additional packages."""

from __future__ import annotations

from pathlib import Path

from edge.shell.sinks.base import Sink
from edge.shell.sinks.options import (
    ForwardOptions,
    KafkaOptions,
    MqttOptions,
    NotifyOptions,
    RabbitmqOptions,
    SinkOptions,
)
from edge.shell.store.reading.journal_packs import JournalPacks
from edge.shell.store.reading.sink_reading import SinkReader


def make_reader(path: Path, options: SinkOptions) -> SinkReader | JournalPacks:
    """The reader of a sink: for events, or for the readings of the journal.

    Args:
        path: The store's file.
        options: The sink.
    """
    how = options.how
    if isinstance(how, ForwardOptions):
        return JournalPacks(path, options.name, how.sensors, how.prefix, how.device)
    return SinkReader(path, options.name, options.wanted)


def make_sink(options: SinkOptions) -> Sink:
    """Create a sink, without opening it."""
    how = options.how
    if isinstance(how, KafkaOptions):
        from edge.shell.sinks.kafka import KafkaSink  # noqa: PLC0415

        return KafkaSink(how)
    if isinstance(how, ForwardOptions):
        from edge.shell.sinks.forwarding import KafkaForward  # noqa: PLC0415

        return KafkaForward(how)
    if isinstance(how, RabbitmqOptions):
        from edge.shell.sinks.rabbitmq import RabbitmqSink  # noqa: PLC0415

        return RabbitmqSink(how)
    if isinstance(how, MqttOptions):
        from edge.shell.sinks.mqtt import MqttSink  # noqa: PLC0415

        return MqttSink(how)
    if isinstance(how, NotifyOptions):
        from edge.shell.sinks.notify import NotifySink  # noqa: PLC0415

        return NotifySink(how)
    from edge.shell.sinks.webhook import WebhookSink  # noqa: PLC0415

    return WebhookSink(how)
