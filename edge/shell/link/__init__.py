"""The links: to an MQTT broker, for which no other package knows paho, and to Apache Kafka in `kafka/`.

`service_link.py` defines the interface of both. `link.py` implements it for MQTT: `receiving/` receives, `sending/`
publishes, `subscribing/` subscribes, `reconnecting.py` computes the pauses, and `versions/` selects the version of MQTT
and implements the features of MQTT 5. Inside, `bulk_client.py` is a paho client that reads many messages at once,
`publish_parser.py` parses their packets, `echo.py` receives the service's own status, `receive_queue.py` holds received
messages, and `in_flight_window.py` and `broker_window.py` limit unacknowledged messages in either direction.
"""

from edge.shell.link.link import Link
from edge.shell.link.link_options import EventProperties, LinkOptions, Subscription, TlsOptions
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.sending.sender import RefusedPublication
from edge.shell.link.service_link import ServiceLink

__all__ = [
    "Echo",
    "EventProperties",
    "Link",
    "LinkOptions",
    "RefusedPublication",
    "ServiceLink",
    "Subscription",
    "TlsOptions",
]
