"""A peer: a paho client with river's GaussianScorer per topic, the obvious prototype. Argument: PORT."""

from __future__ import annotations

import json
import sys
from collections import defaultdict

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from river.anomaly import GaussianScorer

scorers: defaultdict[str, GaussianScorer] = defaultdict(GaussianScorer)


def score(_peer: Client, _data: object, message: MQTTMessage) -> None:
    """Score the value, then learn it."""
    value = json.loads(message.payload)["value"]
    scorer = scorers[message.topic]
    scorer.score_one(None, value)
    scorer.learn_one(None, value)


client = Client(CallbackAPIVersion.VERSION2, client_id="river")
client.on_message = score
client.connect("127.0.0.1", int(sys.argv[1]))
client.subscribe("plant/#", 1)
client.loop_forever()
