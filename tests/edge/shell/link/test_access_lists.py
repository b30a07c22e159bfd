"""A real broker whose access list denies topics to the service, and is corrected at run time."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import Mosquitto
from running import Consumer, RunningService, configuration, wait_for_all, wait_for_input, wait_until

from edge.shell.link.sending.delivery_check import PATIENCE_S
from edge.shell.store import EventFilter, StoreError, read_events

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]
VERSIONS = ("3.1.1", "5")
ALL = "topic readwrite #\n"
NORMAL = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]
NO_EVENTS = """topic readwrite plant/#
topic read edgewarden/#
topic write edgewarden/gw/status
topic write edgewarden/gw/health
topic write edgewarden/gw/open
"""
NO_WRITING = "topic readwrite plant/#\ntopic read edgewarden/#\n"
NO_READING = "topic readwrite plant/#\ntopic write edgewarden/#\nuser watcher\ntopic read edgewarden/#\n"


class Listed:
    """A broker with an access list for anonymous clients, while `watcher` and `plant` may do everything."""

    def __init__(self, folder: Path, start: Callable[[str], Mosquitto]) -> None:
        self._file = folder / "acl"
        self._write(ALL)
        self.broker = start(f"allow_anonymous true\nacl_file {self._file}")

    def allow(self, rules: str) -> None:
        self._write(rules)
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGHUP)

    def _write(self, rules: str) -> None:
        self._file.write_text(f"{rules}\nuser watcher\n{ALL}")


@pytest.fixture
def listed(tmp_path: Path, start_mosquitto: Callable[[str], Mosquitto]) -> Listed:
    return Listed(tmp_path, start_mosquitto)


@pytest.fixture
def consumer(listed: Listed) -> Iterator[Consumer]:
    made = Consumer(listed.broker.port, "edgewarden/#", username="watcher")
    yield made
    made.close()


def start(make_service: MakeService, listed: Listed, version: str, **changes: str) -> RunningService:
    broker = f'port = {listed.broker.port}\nversion = "{version}"' + changes.pop("more", "")
    return make_service(configuration(listed.broker.port, broker=broker, **changes)).start()


def reading(index: int, value: float) -> str:
    return json.dumps({"ts": 1_700_000_000 + 10 * index, "value": value})


def raise_and_clear(consumer: Consumer, *names: str) -> None:
    for name in names:
        consumer.publish_all(
            f"plant/{name}", [*NORMAL, reading(200, 99.0), *[reading(i, 20.2) for i in range(201, 210)]]
        )


def stored(service: RunningService) -> list[dict[str, object]]:
    try:
        return [dict(row) for row in read_events(service.folder / "edgewarden.db", EventFilter())]
    except StoreError:
        return []


def confirmed(service: RunningService) -> int:
    return sum(1 for row in stored(service) if row["confirmed"])


@pytest.mark.parametrize("version", VERSIONS)
def test_events_forbidden_by_an_access_list_are_published_after_its_correction_without_a_restart(
    listed: Listed, consumer: Consumer, make_service: MakeService, version: str
) -> None:
    listed.allow(NO_EVENTS if version == "5" else NO_WRITING)
    service = start(make_service, listed, version)
    word = "publication_refused" if version == "5" else "delivery_unconfirmed"
    wait_for_input(consumer, service, "plant/a", NORMAL[0])
    raise_and_clear(consumer, "a", "b")
    wait_until(lambda: word in service.log.read_text(), what="the word of it")
    wait_until(lambda: len(stored(service)) == 4, what="four stored events")
    if version == "5":
        status = wait_until(lambda: (consumer.latest("/status") or {}).get("problems"), what="a problem")
        assert status[0]["problem"] == "publications_refused"
        assert status[0]["reason"] == "Not authorized"
        backlog = 4 + 2  # two announcements of a new sensor
        health = wait_until(
            lambda: (found := consumer.latest("/health")) and found["backlog_events"] == backlog and found,
            what="the backlog",
        )
        assert health["problems"]
        assert health["publications_refused"] >= 2
    assert confirmed(service) == 0
    assert consumer.events() == []
    listed.allow(ALL)
    wait_until(lambda: len({each["id"] for each in consumer.events()}) == 4, 60, what="the events")
    wait_until(lambda: confirmed(service) == 4, what="the confirmations")
    wait_until(lambda: (consumer.latest("/status") or {"problems": 1})["problems"] == [], what="an end of problems")
    assert service.log.read_text().count(" connected ") == 1
    for name in ("a", "b"):
        mine = [each["data"]["transition"] for each in consumer.events() if each["subject"] == f"plant/{name}"]
        assert mine == sorted(mine, reverse=True), "raised comes before cleared"


def test_a_list_that_is_changed_at_run_time_costs_no_event(
    listed: Listed, consumer: Consumer, make_service: MakeService
) -> None:
    service = start(make_service, listed, "3.1.1")
    wait_until(lambda: consumer.latest("/status"), what="the start")
    raise_and_clear(consumer, "a")
    wait_until(lambda: confirmed(service) == 2, what="two events")
    listed.allow(NO_WRITING)
    raise_and_clear(consumer, "b")
    wait_until(lambda: "delivery_unconfirmed" in service.log.read_text(), 30, what="the word of it")
    assert confirmed(service) == 2
    listed.allow(ALL)
    wait_until(lambda: len({each["id"] for each in consumer.events()}) == 4, 60, what="the events")
    wait_until(lambda: confirmed(service) == 4, what="the confirmations")


def test_where_only_reading_is_forbidden_new_events_are_published_but_not_confirmed(
    listed: Listed, consumer: Consumer, make_service: MakeService
) -> None:
    listed.allow(NO_READING)
    service = start(make_service, listed, "3.1.1")
    wait_until(lambda: "delivery_unconfirmed" in service.log.read_text(), 30, what="the word of it")
    status = wait_until(lambda: (consumer.latest("/status") or {}).get("problems"), what="a problem")
    assert status == [{"problem": "delivery_unconfirmed"}]
    raise_and_clear(consumer, "a")
    wait_until(lambda: len(consumer.events()) == 2, PATIENCE_S + 30, what="the events")
    assert confirmed(service) == 0
    assert service.end() == 0


def test_with_the_check_disabled_the_acknowledgement_is_trusted(
    listed: Listed, consumer: Consumer, make_service: MakeService
) -> None:
    listed.allow(NO_READING)
    service = start(make_service, listed, "3.1.1", more="\ncheck_delivery = false")
    wait_until(lambda: consumer.latest("/status"), what="the start")
    raise_and_clear(consumer, "a")
    wait_until(lambda: confirmed(service) == 2, what="the confirmations")
    assert "delivery_unconfirmed" not in service.log.read_text()


def test_refused_retained_topics_get_their_latest_value_once_the_list_is_corrected(
    listed: Listed, consumer: Consumer, make_service: MakeService
) -> None:
    listed.allow(NO_WRITING)
    service = start(make_service, listed, "5")
    wait_for_input(consumer, service, "plant/a", NORMAL[0])
    wait_until(lambda: "publication_refused" in service.log.read_text(), what="the word of it")
    raise_and_clear(consumer, "a")
    wait_until(lambda: len(stored(service)) == 2, what="two stored events")
    listed.allow(ALL)
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", 60, what="the status")
    state = wait_until(lambda: consumer.latest("/state/plant/a"), what="the state")
    assert state["state"] == "ok"


def test_the_outbox_limit_holds_while_everything_is_refused(
    listed: Listed, consumer: Consumer, make_service: MakeService
) -> None:
    listed.allow(NO_EVENTS)
    incidents = 'threshold = 6.0\nclear_after = 1\n[[rule]]\nsensors = "**"\ndetectors.limits.high = 50.0'
    tables = {"store": 'durability = "process"\noutbox_events = 1000', "incidents": incidents}
    service = start(make_service, listed, "5", **tables)
    many = [json.dumps({f"f{number:03}": value for number in range(700)}) for value in (20.0, 99.0, 99.0, 20.0, 20.0)]
    wait_for_input(consumer, service, "plant/p", many[0])
    consumer.publish_all("plant/p", many)
    wait_for_all(lambda: max((int(str(row["sequence"])) for row in stored(service)), default=0), 1400, "events")
    health = wait_until(
        lambda: (found := consumer.latest("/health")) and 500 < found["backlog_events"] <= 1001 and found,
        180,
        what="the limit",
    )
    assert health["problems"]
    assert service.end() == 0
