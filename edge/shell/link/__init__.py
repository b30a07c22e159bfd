"""The link to an MQTT broker; no other package knows paho.

`link.py` is what the service sees, `receiver.py` its receiving half, `sender.py` its publishing half, `subscribing/`
its subscriptions, `reconnecting.py` its pauses, and `echo.py` hears our own status. `bulk_client.py` is paho with a
reader for many messages at once, `publish_parser.py` is what that reader does with bytes, `mqtt5.py` is what only
MQTT 5 can say, and `version_choice.py` decides which version to try. `receive_queue.py` is what the link hands
messages to, `in_flight_window.py` and `broker_window.py` are how much may be under way in either direction.
"""

from edge.shell.link.link import Link
from edge.shell.link.link_options import EventProperties, LinkOptions, Subscription, TlsOptions
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.sending.sender import RefusedPublication

__all__ = ["Echo", "EventProperties", "Link", "LinkOptions", "RefusedPublication", "Subscription", "TlsOptions"]
