"""Forwarding: packs of readings to a topic of Apache Kafka, keyed by device, as the Kafka sink sends events."""

from __future__ import annotations

from typing import Any

from edge.shell.sinks.cloud_event import KafkaRecord
from edge.shell.sinks.kafka import KafkaSink
from edge.shell.sinks.options import ForwardOptions
from edge.shell.store import OutboxRow

CONTENT_TYPE = b"application/senml+json"


class KafkaForward(KafkaSink):
    """See `Sink`. All readings of a device go to one partition, in their order.

    Args:
        options: Where, and how.
    """

    def __init__(self, options: ForwardOptions) -> None:
        super().__init__(options.cluster)
        self._gateway = options.gateway.encode()

    def _record(self, row: OutboxRow) -> KafkaRecord:
        return row.sensor.encode(), row.payload, [("content-type", CONTENT_TYPE), ("gateway", self._gateway)]

    def _settings(self, batch_size: int) -> dict[str, Any]:
        # Partitions keys in the same way as Kafka's own clients, so that others can join their data about a device.
        return {**super()._settings(batch_size), "partitioner": "murmur2_random", "compression.type": "gzip"}
