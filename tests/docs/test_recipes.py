"""The recipes of the how-to pages work as printed, with the programs they describe."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from brokers import Mosquitto
from running import ROOT, Consumer, wait_until
from sink_line import sink_event

from edge.core.incidents.events.open_incidents import OpenIncidents
from edge.core.model.notation.topics import Topics
from edge.shell.broker.embedded import free_port

HOWTO = ROOT / "docs" / "howto"
NODE_RED = ROOT / ".venv" / "node-red" / "node_modules" / "node-red" / "red.js"


def block(page: str, name: str) -> str:
    """The code after a marker on a page."""
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", (HOWTO / page).read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


class Posts:
    """An HTTP server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.bodies: list[tuple[dict[str, str], str]] = []
        kept = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                kept.append(
                    ({each.lower(): value for each, value in self.headers.items()}, self.rfile.read(length).decode())
                )
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *values: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def posts() -> Iterator[Posts]:
    made = Posts()
    yield made
    made.close()


def payload(transition: str, severity: int, number: int = 1, message: str = "pump is at 99") -> dict[str, Any]:
    event = json.loads(sink_event(number, "line1/pump/temp", transition=transition).payload)
    event["severitytext"] = "ERROR"
    event["data"] |= {
        "severity": severity,
        "message": message,
        "active": transition != "cleared",
        "kind": "spike",
        "started": "2026-11-28T10:00:00.000Z",
    }
    return event


def test_the_three_nodes_of_node_red_send_each_severe_event_once(
    start_mosquitto: Any, posts: Posts, tmp_path: Path
) -> None:
    node = shutil.which("node")
    if node is None or not NODE_RED.exists():
        pytest.skip("Node-RED isn't installed; make verify installs it where there is npm")
    broker: Mosquitto = start_mosquitto()
    flow = json.loads(block("node-red.md", "flow"))
    assert [each["type"] for each in flow if "x" in each] == ["mqtt in", "function", "http request"]
    for each in flow:
        if each["type"] == "mqtt-broker":
            each["port"] = str(broker.port)
        if each["type"] == "http request":
            each["url"] = posts.url
    (tmp_path / "flows.json").write_text(json.dumps(flow))
    settings = "module.exports = {flowFile: 'flows.json', httpAdminRoot: false, telemetry: {enabled: false}};"
    (tmp_path / "settings.js").write_text(settings)
    port, log = str(free_port()), tmp_path / "node-red.log"
    with log.open("wb") as out:
        red = subprocess.Popen(
            [
                node,
                str(NODE_RED),
                "--userDir",
                str(tmp_path),
                "--port",
                port,
                "--settings",
                str(tmp_path / "settings.js"),
            ],
            stdout=out,
            stderr=out,
        )
    consumer = Consumer(broker.port)
    try:
        wait_until(lambda: "Connected to broker" in log.read_text() or red.poll() is not None, 120, "Node-RED")
        assert red.poll() is None, log.read_text()
        topic = "edgewarden/gw/anomaly/line1/pump/temp"

        def subscribed() -> bool:
            consumer.publish(topic, json.dumps(payload("raised", 900, 99, "first")))
            return bool(posts.bodies)

        wait_until(subscribed, 60, "the subscription")
        for event in (
            payload("raised", 600),
            payload("raised", 600),
            payload("updated", 700, 2),
            payload("raised", 300, 3),
            payload("cleared", 600, 4, "pump is back"),
        ):
            consumer.publish(topic, json.dumps(event))
        wait_until(lambda: len(posts.bodies) == 3, 30, f"the messages: {posts.bodies}, {log.read_text()}")
        assert [body for _, body in posts.bodies] == ["first", "pump is at 99", "pump is back"]
        assert [each["title"] for each, _ in posts.bodies] == ["ERROR raised", "ERROR raised", "ERROR cleared"]
    finally:
        consumer.close()
        red.terminate()
        red.wait(60)


@pytest.mark.long
def test_open_incidents_are_alerts_in_alertmanager_and_end_with_them(start_mosquitto: Any, tmp_path: Path) -> None:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("Alertmanager isn't installed (apt-get install prometheus-alertmanager)")
    broker: Mosquitto = start_mosquitto()
    (tmp_path / "am.yml").write_text("route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n")
    (tmp_path / "bridge.py").write_text(
        block("alertmanager.md", "bridge").replace("EVERY_S, LASTS_S = 60, 180", "EVERY_S, LASTS_S = 1, 3")
    )
    url = f"http://127.0.0.1:{free_port()}"
    storage = f"--storage.path={tmp_path / 'data'}"
    listens = f"--web.listen-address={url.removeprefix('http://')}"
    started = [
        subprocess.Popen(
            [program, f"--config.file={tmp_path / 'am.yml'}", storage, listens, "--cluster.listen-address="],
            stderr=subprocess.DEVNULL,
        )
    ]
    consumer = Consumer(broker.port)

    def alerts() -> list[dict[str, Any]] | None:
        try:
            with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:  # noqa: S310 - ours
                return json.load(answer)
        except OSError:
            return None

    try:
        wait_until(lambda: alerts() == [], 60, "Alertmanager")
        environment = {**os.environ, "BROKER_PORT": str(broker.port), "ALERTMANAGER": url}
        started.append(subprocess.Popen([sys.executable, str(tmp_path / "bridge.py")], env=environment))
        opened = OpenIncidents(Topics("edgewarden/gw"))
        event = sink_event(1, "line1/pump/temp", transition="raised")
        opened.note(event._replace(payload=json.dumps(payload("raised", 600)).encode()))
        consumer.publish("edgewarden/gw/open", opened.listed()["edgewarden/gw/open"], retain=True)
        (alert,) = wait_until(alerts, 30, "the alert")
        assert alert["labels"] | {"incident": ""} == {
            "alertname": "Incident",
            "severity": "warning",
            "sensor": "line1/pump/temp",
            "gateway": "gw",
            "incident": "",
        }
        assert alert["annotations"] == {"summary": "pump is at 99", "kind": "spike"}
        assert alert["startsAt"] == "2026-11-28T10:00:00.000Z"
        opened.note(event._replace(transition="cleared"))
        consumer.publish("edgewarden/gw/open", opened.listed()["edgewarden/gw/open"], retain=True)
        wait_until(lambda: alerts() == [], 30, "its end")
    finally:
        consumer.close()
        for each in started:
            each.terminate()
            each.wait(60)


def test_the_card_of_home_assistant_lists_open_incidents() -> None:
    yaml, _ = pytest.importorskip("yaml"), pytest.importorskip("jinja2")
    pytest.importorskip("voluptuous")
    from datetime import datetime

    from home_assistant_rules import TEMPLATES

    card = yaml.safe_load(block("home-assistant.md", "card"))
    assert card["type"] == "markdown"
    listed = [{"sensor": "a/temp", "message": "is at 9", "severity": 600, "since": "2026-11-28T10:00:00.000Z"}]
    environment = TEMPLATES.overlay()
    environment.globals["as_timestamp"] = lambda text: datetime.fromisoformat(text).timestamp()
    environment.filters["timestamp_custom"] = lambda time, shape: datetime.fromtimestamp(time).strftime(shape)  # noqa: DTZ006

    def shown(incidents: list[dict[str, Any]] | None) -> str:
        environment.globals["state_attr"] = lambda entity, name: (
            incidents if (entity, name) == ("sensor.edgewarden_gw_open_incidents", "incidents") else None
        )
        return environment.from_string(card["content"]).render()

    assert "- **a/temp**: is at 9 (severity 600, since " in " ".join(shown(listed).split())
    assert "Nothing is open." in shown([])
    assert "Nothing is open." in shown(None)


def test_the_automation_of_home_assistant_is_valid() -> None:
    yaml, _ = pytest.importorskip("yaml"), pytest.importorskip("jinja2")
    pytest.importorskip("voluptuous")
    from types import SimpleNamespace

    from home_assistant_rules import TEMPLATES

    automation = yaml.safe_load(block("home-assistant.md", "automation"))
    (trigger,), (action,) = automation["triggers"], automation["actions"]
    assert (trigger["trigger"], trigger["entity_id"]) == ("state", "event.edgewarden_gw_incident_events")
    attributes = {"event_type": "raised", "severity": 600, "sensor": "a/temp", "message": "is at 9"}
    known = {"trigger": SimpleNamespace(to_state=SimpleNamespace(attributes=attributes))}
    rendered = [TEMPLATES.from_string(each).render(known) for each in automation["conditions"]]
    assert rendered == ["True", "True"]
    assert TEMPLATES.from_string(action["data"]["message"]).render(known) == "is at 9"
