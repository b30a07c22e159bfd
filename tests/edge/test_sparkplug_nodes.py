"""Real edge nodes, npm's sparkplug-client and PyPI's pysparkplug, on a real broker: birth, data, rebirth, death.

`make verify` installs them; without them these tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from running import ROOT, Consumer, RunningService, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

MakeService = Callable[[str], RunningService]
SCRIPTS = ROOT / "tests" / "helpers" / "sparkplug_nodes"
CONFIGURATION = """
[gateway]
name = "gw"
[broker]
port = {port}
[store]
durability = "process"
[[rule]]
sensors = "**/flow"
preset = "limits_only"
detectors.limits.high = 50.0
incidents.clear_after = 1
[[input]]
convention = "sparkplug"
"""


CLIENTS = Path(sys.prefix) / "sparkplug"


class Node:
    """A node in its own process."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with self._log.open("a") as log:
            environment = {**os.environ, **self._environment}
            self._process = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
            )

    def send(self, line: str) -> None:
        assert self._process is not None
        to: IO[str] | None = self._process.stdin
        assert to is not None
        to.write(f"{line}\n")
        to.flush()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture(params=["npm", "pypi"])
def node(request: pytest.FixtureRequest, own_mosquitto: EmbeddedBroker, tmp_path: Path) -> Iterator[Node]:
    about, log = [str(own_mosquitto.port), "plant", "line1"], tmp_path / "node.log"
    if request.param == "npm":
        folder, program, script, variable = CLIENTS / "node_modules", "node", "node.js", "NODE_PATH"
    else:
        folder, program, script, variable = CLIENTS / "pypi", sys.executable, "node.py", "PYTHONPATH"
    if not folder.is_dir():
        pytest.skip("make verify installs the nodes")
    made = Node([program, str(SCRIPTS / script), *about], {variable: str(folder)}, log)
    yield made
    made.kill()


@pytest.fixture
def consumer(own_mosquitto: EmbeddedBroker) -> Iterator[Consumer]:
    made = Consumer(own_mosquitto.port, "edgewarden/#", "spBv1.0/#")
    yield made
    made.close()


def test_a_real_node_gets_requests_is_read_and_is_missed(
    node: Node, own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: MakeService
) -> None:
    def heard(topic: str) -> int:
        return sum(each == f"spBv1.0/plant/{topic}" for each, _, _ in consumer.poll())

    def events() -> list[tuple[str, str, str]]:
        return [(each["subject"], each["data"]["transition"], each["data"]["kind"]) for each in consumer.events()]

    node.start()
    wait_until(lambda: heard("DBIRTH/line1/pump"), what="the birth of the node")
    service = make_service(CONFIGURATION.format(port=own_mosquitto.port)).start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")

    node.send("data 20")
    wait_until(lambda: heard("NCMD/line1"), what="the request")
    wait_until(lambda: heard("DBIRTH/line1/pump") > 1, what="the rebirth")
    node.send("data 99")
    wait_until(lambda: events() == [("plant/line1/pump/flow", "raised", "range")], what="the incident")
    node.send("compressed 20")
    wait_until(lambda: events()[1:] == [("plant/line1/pump/flow", "cleared", "range")], what="its end")

    node.kill()
    wait_until(lambda: events()[2:] == [("plant/line1/", "raised", "missing")], what="the death of the node")
    node.start()
    wait_until(lambda: events()[3:] == [("plant/line1/", "cleared", "missing")], what="its next birth")
    service.end()
    assert heard("NCMD/line1") == 1
