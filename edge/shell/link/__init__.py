"""The link to an MQTT broker; no other package knows paho.

`link.py` is the service's interface, `receiver.py` its receiving half, `sender.py` its publishing half, `subscribing/`
its subscriptions, `reconnecting.py` its pauses, and `echo.py` reads the service's own status. `bulk_client.py` is paho
with a reader for many messages at once, `publish_parser.py` is the parser of that reader, `mqtt5.py` contains the
features of MQTT 5 only, and `version_choice.py` decides which version to try. `receive_queue.py` holds received
messages, `in_flight_window.py` and `broker_window.py` are the in-flight windows in both directions.
"""

from edge.shell.link.link import Link
from edge.shell.link.link_options import EventProperties, LinkOptions, Subscription, TlsOptions
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.sending.sender import RefusedPublication

__all__ = ["Echo", "EventProperties", "Link", "LinkOptions", "RefusedPublication", "Subscription", "TlsOptions"]
