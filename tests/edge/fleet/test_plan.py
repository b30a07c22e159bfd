"""How a configuration is divided into cells."""

from __future__ import annotations

from config.loading import parse
from edge.core.cells import Cell
from edge.core.model.readings.messages import Message
from edge.fleet.plan import plan_of
from edge.shell.service.assembly.parts import make_pipeline
from tests.edge.core.pipelines import START

CONFIGURATION = """
[gateway]
name = "plant"
[[input]]
topic = "hall/#"
[[device]]
sensors = ["hall/{device}/**"]
warm_up = 200
"""


def test_cells_have_the_settings_of_a_gateway_with_the_same_configuration() -> None:
    configuration = parse(CONFIGURATION, "test").configuration
    plan = plan_of(configuration, 4)
    assert plan.placing.cell("hall/press1/a/x") == plan.placing.cell("hall/press1/b")
    cell, gateway = Cell(plan), make_pipeline(configuration)
    messages = [
        Message(f"hall/press1/{name}", b"%d" % (20 + (each * 7) % 5 + 100 * (each > 600)), START + each)
        for each in range(700)
        for name in ("a", "b")
    ]
    told = cell.process(messages, "log", range(len(messages))).events
    assert len(told) > 0
    assert [each.payload for each in told] == [each.payload for each in gateway.process(messages).events]


def test_commands_on_a_log_are_ignored() -> None:
    configuration = parse(CONFIGURATION + "[commands]\nenabled = true\n", "test").configuration
    cell = Cell(plan_of(configuration, 1))
    topic = f"{configuration.gateway.topic_base}/command/shelve"
    assert cell.process([Message(topic, b"{}", START)], "log", [0]).answers == []
