"""Figures: names and meanings of the numbers in the topic `health`, as metrics.

The list is shared: a test compares it with the contents of `health` in both directions.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Figure(NamedTuple):
    """A number in the topic `health`.

    Attributes:
        key: Its key in the topic.
        name: Name of the metric in base units, without the program's prefix and the suffix `_total`.
        kind: Whether it only increases while the service runs.
        help: Description.
        label: The meaning of the keys, if the value is an object of numbers.
    """

    key: str
    name: str
    kind: Literal["counter", "gauge"]
    help: str
    label: str = ""


FIGURES = (
    Figure("uptime_s", "uptime_seconds", "gauge", "Time since the start"),
    Figure("sensors", "sensors", "gauge", "Sensors that are known"),
    Figure("devices", "devices", "gauge", "Devices that are watched"),
    Figure("open_incidents", "open_incidents", "gauge", "Incidents that are open"),
    Figure("messages", "messages", "counter", "Messages that have arrived"),
    Figure("messages_read", "messages_read", "counter", "Messages that held readings"),
    Figure("messages_refused", "messages_refused", "counter", "Messages that were refused", "reason"),
    Figure("messages_own", "messages_own", "counter", "Messages on our own topics, which aren't an input"),
    Figure("messages_left_out", "messages_left_out", "counter", "Messages on topics that the configuration ignores"),
    Figure("messages_redelivered", "messages_redelivered", "counter", "Messages that had been processed before"),
    Figure("messages_copied", "messages_copied", "counter", "Messages that another filter delivered, too"),
    Figure("commands", "commands", "counter", "Commands that were followed"),
    Figure("commands_refused", "commands_refused", "counter", "Commands that were refused", "reason"),
    Figure("readings", "readings", "counter", "Readings found in messages"),
    Figure("readings_taken", "readings_taken", "counter", "Readings that were learned"),
    Figure("readings_refused", "readings_refused", "counter", "Readings that were refused", "reason"),
    Figure("repeats", "repeats", "counter", "Values that were repeated unchanged"),
    Figure("fields_ignored", "fields_ignored", "counter", "Fields that the configuration ignores"),
    Figure("devices_unknown", "devices_unknown", "counter", "Availability of devices without sensors"),
    Figure("same_times", "same_times", "counter", "Readings of one time with different values"),
    Figure("clock_steps", "clock_steps", "counter", "Times that the gateway's clock was set"),
    Figure("events", "events", "counter", "Events of incidents", "transition"),
    Figure("dead_letters_suppressed", "dead_letters_suppressed", "counter", "Dead letters beyond the limit a minute"),
    Figure("dropped_qos0", "messages_dropped", "counter", "Messages of QoS 0 that arrived too fast"),
    Figure("connections", "connections", "counter", "Connections that the broker has accepted"),
    Figure("input_lag", "input_lag", "gauge", "Records that wait in Kafka to be read"),
    Figure("backlog_events", "backlog_events", "gauge", "Events that wait for delivery"),
    Figure("backlog_bytes", "backlog_bytes", "gauge", "Size of the events that wait for delivery"),
    Figure("events_published", "events_published", "counter", "Events that were sent to the broker"),
    Figure("events_replayed", "events_replayed", "counter", "Events that were sent from the backlog of an outage"),
    Figure("events_confirmed", "events_confirmed", "counter", "Events that the broker has confirmed"),
    Figure("publications_refused", "publications_refused", "counter", "Publications that the broker has refused"),
    Figure("store_errors", "store_errors", "counter", "Times that the store failed"),
    Figure("store_writable", "store_writable", "gauge", "Whether the last commit succeeded"),
)

SINK_FIGURES = (
    Figure("connected", "sink_connected", "gauge", "Whether the sink's receiver is connected"),
    Figure("lag_events", "sink_lag_events", "gauge", "Events that wait for the sink"),
    Figure("lag_bytes", "sink_lag_bytes", "gauge", "Size of the events that wait for the sink"),
    Figure("delivered", "sink_delivered", "counter", "Events that the sink has accepted"),
    Figure("set_aside", "sink_set_aside", "counter", "Events that the sink refuses for good"),
    Figure("lost", "sink_lost", "counter", "Events that limits have dropped for the sink"),
)

NO_FIGURES = frozenset({"refused_of_inputs", "time", "clock", "backlog_since", "sinks", "problems"})
"""Keys of the topic `health` that aren't numbers; some of them are separate metrics."""
