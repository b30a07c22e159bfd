from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from edge.page.loop.core_queries import sensor_columns
from edge.page.views.sensor_list import WantedSensors, chosen, state_of
from tests.edge.core.pipelines import START, Line, pipeline, plant

SENSORS = ("paced/plug/a", "paced/plug/b", "paced/plug/c")


def test_each_sensor_of_a_silent_group_is_silent_on_the_page() -> None:
    line = Line(pipeline())
    line.take(plant((START + 10.0 * number for number in range(360)), *SENSORS, "paced/clock"))
    line.take(plant((START + 3600.0 + 10.0 * number for number in range(60)), "paced/clock"))
    assert [each.sensor for each in line.events if each.transition == "raised"] == ["paced/plug/a"]
    running: Any = SimpleNamespace(pipeline=line.pipeline)
    columns = sensor_columns(running)
    states = {name: state_of(columns, slot) for slot, name in enumerate(columns.names)}
    assert states == dict.fromkeys(SENSORS, "silent") | {"paced/clock": "ok"}
    assert columns.names[chosen(columns, WantedSensors(order="state"))[-1]] == "paced/clock"
