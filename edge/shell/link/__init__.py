"""The links: to an MQTT broker, for which no other package knows paho, and to Apache Kafka in `kafka/`.

`service_link.py` is what the service asks of either. `link.py` is the one to an MQTT broker, `receiving/` its receiving
half, `sending/` its publishing half, `subscribing/` its subscriptions, `reconnecting.py` its pauses. `versions/`
decides which version of MQTT to try, and knows what only MQTT 5 can say. Inside, `bulk_client.py` is paho with a reader
for many messages at once, `publish_parser.py` is what that reader does with bytes, `echo.py` hears our own status,
`receive_queue.py` is what a link hands messages to, and `in_flight_window.py` and `broker_window.py` are how much may
be under way in either direction.
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
