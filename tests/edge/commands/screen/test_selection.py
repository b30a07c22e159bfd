from __future__ import annotations

from typing import Any

from edge.commands.screen.picture import Picture
from edge.commands.screen.selection import Choice
from edge.commands.support.service.service_state import ServiceState
from edge.shell.store.reading.overview import OpenIncident

NOBODY = ServiceState(running=False, pid=None, status={}, age_s=0.0)


def incident(sensor: str, kind: str, severity: int, *sensors: str) -> OpenIncident:
    data: dict[str, Any] = {"severity": severity, "kind": kind, "shelved": False, "sensors": list(sensors)}
    return OpenIncident(
        {"subject": sensor, "data": data | {"incident": sensor, "started": "2026-11-29T12:00:00Z"}}, kind
    )


def test_each_sensor_of_a_silent_group_is_silent_unless_it_has_an_incident_of_its_own() -> None:
    choice = Choice(lambda *_, **__: None, lambda _: ())
    incidents = [incident("a", "missing", 900, "a", "b", "c"), incident("c", "spike", 300)]
    sensors = {name: {"readings": 100} for name in "abcd"}
    choice.show(Picture(0.0, NOBODY, [], [], incidents, sensors, None, ""))
    assert [each.state for each in choice.sensors] == ["silent", "silent", "open WARN", "ok"]
