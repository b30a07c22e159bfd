"""The kinds of sinks; each is imported on demand, because some need additional packages."""

from __future__ import annotations

from edge.shell.sinks.base import Sink
from edge.shell.sinks.options import KafkaOptions, MqttOptions, NotifyOptions, RabbitmqOptions, SinkOptions


def make_sink(options: SinkOptions) -> Sink:
    """Create a sink, without opening it."""
    how = options.how
    if isinstance(how, KafkaOptions):
        from edge.shell.sinks.kafka import KafkaSink  # noqa: PLC0415

        return KafkaSink(how)
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
