"""A peer: a paho client that copies messages from one topic to another, and receives others too.

Arguments: PORT FROM TO.
"""

from __future__ import annotations

import sys

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

port, source, target = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def answer(peer: Client, _data: object, message: MQTTMessage) -> None:
    """Publish the received payload."""
    if message.topic == source:
        peer.publish(target, message.payload, qos=1)


client = Client(CallbackAPIVersion.VERSION2, client_id="echo")
client.on_message = answer
client.connect("127.0.0.1", port)
client.subscribe([("bench/#", 1), ("plant/#", 1)])
client.loop_forever()
