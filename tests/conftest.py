"""Shared fixtures: brokers, ports, and links that are stopped at the end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from time import time

import hypothesis
import pytest
from brokers import Mosquitto, installed_mosquitto
from running import Consumer, RunningService

from edge.shell.broker.embedded import BrokerError, EmbeddedBroker, find_mosquitto
from edge.shell.broker.embedded import free_port as any_free_port
from edge.shell.link import Link, LinkOptions, Subscription

# Examples have no deadline: no test may depend on the speed of the machine.
hypothesis.settings.register_profile("edgewarden", deadline=None)
hypothesis.settings.load_profile("edgewarden")

# A shell starts its background jobs with SIGINT ignored, which processes started by tests would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One open broker for all tests; each test uses its own topics and client ids."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def start_mosquitto(tmp_path: Path) -> Iterator[Callable[[str], Mosquitto]]:
    """Start a broker for one test, with additional configuration lines."""
    started: list[Mosquitto] = []

    def start(lines: str = "allow_anonymous true") -> Mosquitto:
        directory = tmp_path / f"mosquitto-{len(started)}"
        directory.mkdir()
        started.append(Mosquitto(directory, lines.replace("{directory}", str(directory))))
        return started[-1].start()

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker for one test that keeps sessions and messages when it is stopped."""
    installed_mosquitto()
    broker = EmbeddedBroker(tmp_path / "own_mosquitto", prefer="mosquitto")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def consumer(own_mosquitto: EmbeddedBroker) -> Iterator[Consumer]:
    """A client that hears everything that a service publishes to that broker."""
    made = Consumer(own_mosquitto.port, "edgewarden/#")
    yield made
    made.close()


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[[str], RunningService]]:
    """Create a service for one test from the text of its configuration; it is killed at the end of the test."""
    made: list[RunningService] = []

    def make(configuration: str) -> RunningService:
        made.append(RunningService(tmp_path, configuration))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture(autouse=True)
def close_consumers() -> Iterator[None]:
    """Close the clients that a failed test has left, whose threads would go on beside other tests."""
    before = list(Consumer.started)
    yield
    for each in list(Consumer.started):
        if each not in before:
            each.close()


@pytest.fixture
def free_port() -> int:
    """A free TCP port."""
    return any_free_port()


@pytest.fixture
def make_link() -> Iterator[Callable[..., Link]]:
    """Make and start a link; keywords are fields of `LinkOptions`, with quick reconnects by default."""
    links: list[Link] = []
    quick = LinkOptions(version="3.1.1", first_delay_s=0.1, longest_delay_s=0.5, keepalive_s=10)

    def make(port: int, *wanted: Subscription, clock: Callable[[], float] = time, **options: object) -> Link:
        links.append(Link(replace(quick, port=port, **options), wanted, clock))  # type: ignore[arg-type]
        links[-1].start()
        return links[-1]

    yield make
    for link in links:
        link.stop()


def _skipped_without_mosquitto() -> Generator[None, object, object]:
    """Tests that need their own mosquitto are skipped where it isn't installed, but never in CI."""
    try:
        return (yield)
    except BrokerError as error:
        if os.environ.get("CI") or find_mosquitto() is not None or "mosquitto isn't installed" not in str(error):
            raise
        pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    return (yield from _skipped_without_mosquitto())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    return (yield from _skipped_without_mosquitto())
