"""A backlog is over when the broker pauses; until then no sensor counts as silent because of the service's absence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.loading import parse
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.stored_state import resume
from edge.shell.service.watches.backlog_watch import AT_LEAST_S, AT_MOST_S, PAUSE_S, BacklogWatch
from edge.shell.store import SqliteStore
from edge.shell.system.wall_clock import WallClock
from tests.edge.shell.service.test_service_sessions import START, Clock, ScriptedLink

CONFIGURATION = '[[input]]\ntopic = "#"\nsensor = "{topic}"\n[incidents]\nthreshold = 4.0\n'
SENSORS = ("a", "b", "c", "d")


def test_a_backlog_is_over_after_a_pause_but_not_before_its_time() -> None:
    clock = Clock()
    watch = BacklogWatch(clock)
    assert not watch.is_over(is_busy=True)
    clock.now += AT_LEAST_S - 0.1
    assert not watch.is_over(is_busy=False)
    clock.now += 0.1
    assert watch.is_over(is_busy=False)


def test_while_messages_arrive_without_a_pause_it_lasts_and_ends_by_itself() -> None:
    clock = Clock()
    watch, lasted = BacklogWatch(clock), 0
    while not watch.is_over(is_busy=True):
        clock.now += PAUSE_S / 2
        lasted += 1
    assert lasted * PAUSE_S / 2 == AT_MOST_S
    assert not watch.is_over(is_busy=False)


def test_the_backlog_of_a_short_absence_is_short() -> None:
    clock = Clock()
    watch = BacklogWatch(clock)
    watch.expect(4.0)
    for lasts_s in (AT_LEAST_S + 2.0, AT_MOST_S):
        began = clock.now
        while not watch.is_over(is_busy=True):
            clock.now += 0.5
        assert clock.now - began == lasts_s


def new_pipeline() -> Pipeline:
    return make_pipeline(parse(CONFIGURATION, "test").configuration)


class Gateway:
    """A gateway that is switched off and on, in a house whose sensors each send once per second with QoS 0."""

    def __init__(self, path: Path) -> None:
        self.clock, self.path = Clock(), path
        self.start()

    def start(self) -> None:
        self.store = SqliteStore(self.path, "process")
        self.pipeline, _, _ = resume(new_pipeline, self.store, "", "", START)
        self.link = ScriptedLink(self.clock)
        wall = WallClock(0.0, None, lambda: START + self.clock.now, self.clock)
        link = self.link
        options = ServiceOptions(Topics("edgewarden/gw"), commit_s=0.0)
        self.service = Service(self.pipeline, self.store, link, link, options, clock=wall, monotonic=self.clock)  # type: ignore[arg-type]
        self.link.connect(session_present=True)

    def stop(self) -> None:
        self.store.remember(self.pipeline.save("", ""), "", START + self.clock.now)
        self.service.close()

    def send(self, sensor: str, *, time: float | None = None) -> None:
        arrived = START + self.clock.now
        body = {"ts": arrived if time is None else time, "value": 20.0 + arrived % 3}
        payload = json.dumps(body).encode()
        self.link.receiver.inbox.put(Message(sensor, payload, arrived, receipt=self.link.connections))

    def live(self, seconds: int, *sensors: str) -> None:
        for _ in range(seconds):
            for sensor in sensors:
                self.send(sensor)
                self.service._turn()
            self.clock.now += 1.0

    @property
    def silent(self) -> list[str]:
        return sorted({each.sensor for each in self.store.events_after(0) if each.kind == "missing"})


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path / "store.db")
    made.live(40, *SENSORS)
    made.stop()
    made.clock.now += 8.0
    made.start()
    return made


def test_sensors_that_could_not_be_received_during_the_absence_are_not_silent_although_a_late_pack_shows_its_lag(
    gateway: Gateway,
) -> None:
    now = START + gateway.clock.now
    gateway.send("a", time=now - 6.0)
    gateway.send("b", time=now - 6.0)
    gateway.service._turn()
    gateway.live(30, *SENSORS)
    assert gateway.silent == []


def test_a_sensor_that_stays_silent_after_the_absence_is_reported(gateway: Gateway) -> None:
    gateway.live(90, *SENSORS[:3])
    assert gateway.silent == ["d"]


@pytest.fixture
def held_up(tmp_path: Path) -> Gateway:
    """A gateway that has been suspended for 40 s, and hasn't read anything of that time yet."""
    made = Gateway(tmp_path / "store.db")
    made.live(40, *SENSORS)
    made.clock.now += 40.0
    return made


@pytest.mark.parametrize("finds_nothing_at_first", [True, False])
@pytest.mark.parametrize("times", ["own", "of arrival"])
def test_what_has_queued_while_the_service_was_suspended_is_read_before_anyone_is_silent(
    held_up: Gateway, caplog: pytest.LogCaptureFixture, times: str, finds_nothing_at_first: bool
) -> None:
    if finds_nothing_at_first:
        held_up.service._turn()
    now = START + held_up.clock.now
    for sensor in SENSORS:
        for second in range(40):
            held_up.send(sensor, time=now - 40.0 + second if times == "own" else None)
        held_up.service._turn()
        held_up.clock.now += 0.1
    held_up.live(30, *SENSORS)
    assert held_up.silent == []
    assert "held_up seconds=4" in caplog.text


def test_a_sensor_that_ended_while_the_service_was_suspended_is_silent_after_the_usual_time(held_up: Gateway) -> None:
    held_up.live(23, *SENSORS[:3])
    assert held_up.silent == []
    held_up.live(10, *SENSORS[:3])
    assert held_up.silent == ["d"]
