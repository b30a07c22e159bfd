"""The link to an MQTT broker; no other package knows paho.

`link.py` is what the service sees, `receiver.py` its receiving half, `sender.py` its publishing half, `subscriber.py`
its subscriptions, `reconnecting.py` its pauses, and `echo.py` hears our own status. `bulk_client.py` is paho with a
reader for many messages at once, `publish_cutter.py` is what that reader does with bytes, `modern.py` is what only MQTT
5 can say, and `version_choice.py` decides which version to try.
"""

from edge.shell.link.echo import Echo
from edge.shell.link.link import Link
from edge.shell.link.link_options import EventProperties, LinkOptions, Subscription, TlsOptions
from edge.shell.link.sender import Refused

__all__ = ["Echo", "EventProperties", "Link", "LinkOptions", "Refused", "Subscription", "TlsOptions"]
