"""A peer: a typical paho client whose callback only counts. Arguments: `PORT -C COUNT`, as for mosquitto_sub."""

from __future__ import annotations

import sys

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

left = int(sys.argv[3])
client = Client(CallbackAPIVersion.VERSION2, client_id="peer")


def count(peer: Client, _data: object, _message: object) -> None:
    """Count a message, and end after the last one."""
    global left  # noqa: PLW0603 - as short as a peer can be
    left -= 1
    if not left:
        peer.disconnect()


client.on_message = count
client.connect("127.0.0.1", int(sys.argv[1]))
client.subscribe("+/#", 1)
client.loop_forever()
