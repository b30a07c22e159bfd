"""The messages to Home Assistant, their rate and number, for any sensor names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("jinja2")
pytest.importorskip("voluptuous")

from home_assistant_rules import CONFIG_TOPIC, components_of

from config.loading import parse
from edge.core.intake.routes import is_usable
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Reading
from edge.core.pipeline import Pipeline
from edge.shell.homeassistant.announcer import BURST, PER_SECOND, SPREAD_S, Announcer
from edge.shell.homeassistant.identifiers import identifier
from edge.shell.homeassistant.options import HomeAssistantOptions
from edge.shell.link import Echo
from edge.shell.service.assembly.parts import make_pipeline

TOPICS = Topics("edgewarden/gw")
GATEWAY = "homeassistant/device/edgewarden_gw/config"
DEVICE = '[[device]]\nname = "press"\nsensors = ["line1/**"]\n'


class FakePublisher:
    """Keeps the retained messages; accepts either all of them, or none of the gateway's."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.published: list[str] = []
        self.refuses = False

    def retain_all(self, latest: dict[str, bytes]) -> None:
        self.retained |= latest
        self.published += latest

    def is_retaining(self, topic: str) -> bool:
        return self.refuses and topic in self.retained

    def configs(self) -> dict[str, dict[str, Any]]:
        found = {topic: each for topic, each in self.retained.items() if topic.endswith("/config") and each}
        return {topic: json.loads(each) for topic, each in found.items() if topic != GATEWAY}


class Line:
    """An announcer, a core and a connection, with the test's own clock."""

    def __init__(self, text: str = "", **options: Any) -> None:
        self.now = 0.0
        self.pipeline: Pipeline = make_pipeline(parse(f'[[input]]\ntopic = "#"\n{text}', "test").configuration)
        self.publisher = FakePublisher()
        self.outbound = SimpleNamespace(connected=True, connections=1, births=Echo("homeassistant/status"))
        self.announcer = self.make(**options)

    def make(self, **options: Any) -> Announcer:
        made = HomeAssistantOptions("gw", "1.2", **options)
        self.announcer = Announcer(made, TOPICS, lambda: self.now, chance=lambda: 0.5)
        inbound = SimpleNamespace(wake=lambda: None)
        running = SimpleNamespace(
            pipeline=self.pipeline, outbound=self.outbound, inbound=inbound, publisher=self.publisher
        )
        self.announcer.follow(running)  # type: ignore[arg-type]
        return self.announcer

    def hear(self, names: Iterable[str], time: float = 1_700_000_000.0) -> None:
        self.pipeline.process_readings([Reading(each, time, 1.0) for each in names])

    def pass_time(self, seconds: float) -> None:
        """Let the loop turn ten times per second."""
        for _ in range(int(10 * seconds)):
            self.now += 0.1
            self.announcer.turn()

    def birth(self, payload: bytes = b"online") -> None:
        self.outbound.births._payloads.append(payload)


def test_each_sensor_has_its_own_message_below_its_device() -> None:
    line = Line(DEVICE)
    line.hear(["line1/ram/force", "line1/oil/temp", "hall/door", "outside"])
    line.pass_time(3)
    devices = {topic.split("/")[2]: each["device"]["name"] for topic, each in line.publisher.configs().items()}
    shown = sorted(
        {identity.rpartition("_")[0].removeprefix("edgewarden_gw_"): n for identity, n in devices.items()}.items()
    )
    assert shown == [
        ("hall_door", "hall"),
        ("line1_oil_temp", "press"),
        ("line1_ram_force", "press"),
        ("outside", "Edgewarden gw"),
        ("press", "press"),
    ]


@pytest.mark.long
@settings(max_examples=20)
@given(st.lists(st.text(min_size=1, max_size=60).filter(is_usable), min_size=1, max_size=8, unique=True))
def test_home_assistant_accepts_any_sensor_names_and_distinguishes_them(names: list[str]) -> None:
    line = Line()
    line.hear(names)
    line.pass_time(2)
    found = line.publisher.configs()
    sensors = list(line.pipeline.sensors.names)
    assert len(found) == len(sensors)
    identities = [each["unique_id"] for config in found.values() for each in components_of(config).values()]
    assert len({*identities}) == len(identities) == 2 * len(sensors)
    assert {each["qos"] for config in found.values() for each in components_of(config).values()} == {1}
    for topic in found:
        assert CONFIG_TOPIC.fullmatch(topic.removeprefix("homeassistant/")), topic


def test_similar_names_and_gateways_that_join_them_differently_are_distinguished() -> None:
    assert identifier("a", "b/c") != identifier("a", "b.c") != identifier("a_b", "c")
    assert identifier("gw", "x" * 300) != identifier("gw", "x" * 301)
    assert (
        identifier("gw", "pump/\u202ename\"'<b>")
        == "edgewarden_gw_pump_name_b_" + identifier("gw", "pump/\u202ename\"'<b>").rpartition("_")[2]
    )


def test_hidden_characters_of_a_name_are_shown_as_escapes() -> None:
    line = Line()
    line.hear(["pump\u202e/tem\u200bp"])
    line.pass_time(1)
    (config,) = line.publisher.configs().values()
    assert (config["device"]["name"], config["components"]["problem"]["name"]) == ("pump\\u202e", "tem\\u200bp")


@pytest.mark.long
def test_ten_thousand_sensors_are_announced_at_a_steady_rate_up_to_the_configured_number() -> None:
    line = Line("[limits]\nsensors = 10000\n", most=600)
    line.hear(f"hall/{each:05}" for each in range(10_000))
    line.announcer.turn()
    assert len(line.publisher.published) == 0  # no allowance was accumulated before the start
    line.pass_time(1)
    assert len([each for each in line.publisher.published if each.endswith("/config")]) <= PER_SECOND + BURST
    line.pass_time(10_000 / PER_SECOND + 5)
    assert len(line.publisher.configs()) == 600
    assert {each["components"]["problem"]["name"] for each in line.publisher.configs().values()} == {
        f"{each:05}" for each in range(600)
    }


def test_the_next_sensor_takes_the_place_of_a_forgotten_one() -> None:
    line = Line(most=2)
    line.hear(["a/1", "a/2", "a/3"])
    line.pass_time(2)
    assert {each["components"]["problem"]["name"] for each in line.publisher.configs().values()} == {"1", "2"}
    line.pipeline._maker.forget([0], line.now, line.now, "silent")
    line.pass_time(2)
    assert {each["components"]["problem"]["name"] for each in line.publisher.configs().values()} == {"2", "3"}


def test_only_sensors_matching_the_globs_are_announced_and_earlier_announcements_are_cleared() -> None:
    line = Line()
    line.hear(["a/temp", "a/battery"])
    line.pass_time(2)
    assert len(line.publisher.configs()) == 2
    line.make(sensors=("**/temp",))
    line.pass_time(2)
    assert [each["components"]["problem"]["name"] for each in line.publisher.configs().values()] == ["temp"]
    line.make(enabled=False)
    line.pass_time(2)
    assert line.publisher.configs() == {}
    assert line.publisher.retained[GATEWAY] == b""


def test_only_the_gateway_is_published_while_the_broker_refuses_it() -> None:
    line = Line()
    line.hear(["a/temp", "a/battery"])
    line.publisher.refuses = True
    line.pass_time(5)
    assert line.publisher.published == [GATEWAY]
    line.publisher.refuses = False
    line.pass_time(1)
    assert len(line.publisher.configs()) == 2


def test_many_starts_of_home_assistant_give_one_round_after_a_while() -> None:
    line = Line()
    line.hear(["a/temp"])
    line.pass_time(2)
    line.publisher.published.clear()
    for payload in (b"offline", b"online", b"online", b"online"):
        line.birth(payload)
    line.pass_time(SPREAD_S / 2 - 0.5)
    assert line.publisher.published == []
    line.pass_time(1.5)
    assert [each for each in line.publisher.published if each.endswith("/config")] == [
        GATEWAY,
        f"homeassistant/device/{identifier('gw', 'a/temp')}/config",
    ]


def test_a_home_assistant_that_restarts_repeatedly_does_not_postpone_its_round() -> None:
    line = Line()
    line.hear(["a/temp"])
    line.pass_time(2)
    line.publisher.published.clear()
    for _ in range(8):
        line.birth()
        line.pass_time(1)
    assert GATEWAY in line.publisher.published


def test_a_sensor_without_an_incident_is_reported_healthy_and_one_with_an_incident_is_not() -> None:
    line = Line('[[rule]]\nsensors = "**"\n[rule.detectors.limits]\nhigh = 5.0\n')
    line.hear(["a/temp", "a/speed"])
    line.pipeline.process_readings([Reading("a/temp", 1_700_000_000.0 + each, 9.0) for each in range(1, 9)])
    assert [*line.pipeline.open_incidents.events] == ["a/temp"]
    line.pass_time(2)
    assert json.loads(line.publisher.retained["edgewarden/gw/state/a/speed"]) == {
        "state": "ok",
        "sensor": "a/speed",
        "since": None,
    }
    assert "edgewarden/gw/state/a/temp" not in line.publisher.retained


def test_a_discovery_message_is_small() -> None:
    line = Line()
    line.hear(["line1/press3/hydraulics/temperature"])
    line.pass_time(2)
    sizes = {topic: len(each) for topic, each in line.publisher.retained.items() if topic.endswith("/config")}
    assert sizes.pop(GATEWAY) < 6000
    assert max(sizes.values()) < 2500
