"""The AsyncAPI document describes what is actually published."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator
from running import Consumer, RunningService, configuration, wait_until

from edge.commands import main
from edge.commands.support.asyncapi import asyncapi_document, channels
from edge.core.model.notation.topics import Topics
from edge.core.operator.commands import WORDS
from edge.shell.broker.embedded import EmbeddedBroker

PARSER = Path(__file__).parents[3] / ".venv" / "asyncapi"
SCRIPT = """
import { Parser } from '@asyncapi/parser';
import fs from 'fs';
const { document, diagnostics } = await new Parser().parse(fs.readFileSync(0, 'utf8'));
const bad = diagnostics.filter((each) => each.severity < 2).map((each) => `${each.path.join('.')}: ${each.message}`);
console.log(JSON.stringify({ channels: document ? document.channels().all().length : 0, bad }));
"""


def validator(channel: dict[str, Any], document: dict[str, Any]) -> Draft7Validator:
    """Schemas of the messages of a channel; a message must match one of them."""
    schemas = [each["payload"] for each in channel["messages"].values()]
    return Draft7Validator({"components": document["components"], "anyOf": schemas})


def test_every_topic_and_every_command_has_a_channel() -> None:
    topics = Topics("{base}")
    plain = {getattr(topics, name) for name, kind in vars(Topics).items() if isinstance(kind, property)}
    addresses = {each["address"] for each in asyncapi_document()["channels"].values()}
    assert plain | {topics.anomaly("{sensor}"), topics.state("{sensor}")} <= addresses
    assert {topics.command(name) for name in WORDS} <= addresses


def test_every_schema_of_the_document_is_valid() -> None:
    document = asyncapi_document()
    for channel in document["channels"].values():
        Draft7Validator.check_schema(validator(channel, document).schema)
    assert "$defs" not in json.dumps(document)


@pytest.mark.long
def test_a_service_publishes_what_the_document_describes(
    make_service: Callable[[str], RunningService], own_mosquitto: EmbeddedBroker
) -> None:
    text = configuration(own_mosquitto.port).replace("[[input]]", "[commands]\nenabled = true\n[[input]]", 1)
    service = make_service(text)
    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    service.start()
    wait_until(lambda: consumer.latest("/health"), what="the service")
    base = next(topic for topic, _, _ in consumer.messages if topic.endswith("/health")).removesuffix("/health")
    readings = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]
    consumer.publish_all("plant/pump", [*readings, '{"ts": 1700002000, "value": 99}', "Online"])
    wait_until(consumer.events, what="the incident")
    consumer.publish(f"{base}/command/shelve", '{"id": "1", "sensor": "plant/pump", "until": "2h"}')
    wait_until(lambda: consumer.latest("/result"), what="the answer")
    consumer.publish_all(
        "plant/pump", [f'{{"ts": {1_700_002_010 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]
    )
    wait_until(lambda: (consumer.latest("/state/plant/pump") or {}).get("state") == "ok", what="the end")
    wait_until(lambda: consumer.latest("/deadletter"), what="the dead letter")
    service.end()
    wait_until(lambda: (consumer.latest("/status") or {})["state"] == "offline", what="the last word")
    consumer.close()
    document = asyncapi_document()
    heard = set()
    for each in channels():
        pattern = re.compile(re.escape(each.address).replace(r"\{base\}", re.escape(base)).replace(r"\{sensor\}", ".+"))
        valid = validator(document["channels"][each.name], document)
        for topic, payload, _ in consumer.messages:
            if pattern.fullmatch(topic):
                valid.validate(json.loads(payload))
                heard.add(each.name)
    assert heard == {each.name for each in channels()} - {"gap"}


@pytest.mark.skipif(not PARSER.exists(), reason="make verify installs AsyncAPI's parser")
def test_the_parser_of_asyncapi_finds_no_error() -> None:
    script = PARSER / "check.mjs"
    script.write_text(SCRIPT)
    document = CliRunner().invoke(main, ["schema", "asyncapi"]).stdout
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run([node, script], input=document, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"channels": len(asyncapi_document()["channels"]), "bad": []}
