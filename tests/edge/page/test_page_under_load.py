"""The page on a hostile or busy day: replayed posts, a locked store, many sensors, slow tabs."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self

import pytest
from page_client import PageClient, page_host
from running import Consumer, RunningService, configuration, wait_for_all, wait_until

from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.store.database import look_on

pytestmark = pytest.mark.long

RULE = '\n[[rule]]\nsensors = "plant/hot/**"\n[rule.detectors.limits]\nhigh = 250.0\n'
WATCHED = "plant/watched"
DAY_S = 86_400
EVERY_S = 4
DAY = DAY_S // EVERY_S
"""Readings of a day."""

PACK, PORTION = 300, 1800
MIB = 2**20


@pytest.fixture
def service(make_service: Callable[[str], RunningService], own_mosquitto: EmbeddedBroker) -> RunningService:
    return make_service(configuration(own_mosquitto.port, page="port = 0") + RULE).start()


@pytest.fixture
def page(service: RunningService) -> PageClient:
    return PageClient(page_host(service))


@pytest.fixture
def consumer(own_mosquitto: EmbeddedBroker, page: PageClient) -> Iterator[Consumer]:
    made = Consumer(own_mosquitto.port, "edgewarden/gw/result", "edgewarden/gw/status")
    wait_until(lambda: page.get("/api/incidents").status == 200, what="the service")
    wait_until(lambda: (made.latest("/status") or {}).get("state") == "online", what="the service's subscription")
    yield made
    made.close()


def asked(page: PageClient, path: str) -> Any:
    """The answer to a question, which is repeated while the service reports that it is busy."""
    return wait_until(lambda: (found := page.get(path)).status == 200 and [found.json], 120, what=path)[0]


def fields(topic: str, count: int, value: float) -> tuple[str, list[str]]:
    return topic, [json.dumps({f"f{number:04}": value for number in range(count)})]


def publish_watched(consumer: Consumer, first: int, number: int) -> None:
    """Readings of one sensor, beginning after the given number of readings of the day."""
    began = DAY_S * (time.time() // DAY_S - 2)
    for start in range(first, first + number, PACK):
        numbers = range(start, min(start + PACK, first + number))
        readings = [{"ts": began + EVERY_S * each, "value": each % 7} for each in numbers]
        consumer.publish_all(WATCHED, [json.dumps(readings)])


def feed_watched(page: PageClient, consumer: Consumer, first: int, number: int) -> None:
    """The same, waiting for the service now and then, which says nothing while it processes what has arrived."""
    for start in range(first, first + number, PORTION):
        size = min(PORTION, first + number - start)
        publish_watched(consumer, start, size)
        wait_for_all(lambda goal=start: learned(page) - goal, size, "readings")  # type: ignore[misc]


def learned(page: PageClient) -> int:
    answer = page.get(f"/api/sensor?name={WATCHED}")
    return int(answer.json["readings"]) if answer.status == 200 else 0


def resident(service: RunningService) -> int:
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


class OpenTab:
    """A connection to the stream of a sensor, with a small receive window; it reads only on demand."""

    def __init__(self, host: str, sensor: str) -> None:
        self.taken = 0
        self.readings = 0
        self.ended = False
        self._host, self._sensor = host, sensor
        self._closed = False
        self._thread: threading.Thread | None = None
        self._connect()

    def _connect(self) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        address, _, port = self._host.rpartition(":")
        self.socket.connect((address, int(port)))
        asked = f"GET /api/stream?sensor={self._sensor} HTTP/1.1\r\nHost: {self._host}\r\n\r\n"
        self.socket.sendall(asked.encode())

    def read(self, *, stays: bool = False) -> Self:
        """Read to the end; a tab that stays open connects again then, as a browser does."""
        self._thread = threading.Thread(target=self._read, args=[stays], daemon=True)
        self._thread.start()
        return self

    def _read(self, stays: bool) -> None:
        try:
            while not self._closed:
                while content := self.socket.recv(65536):
                    self.taken += len(content)
                    self.readings += content.count(b"event: readings")
                if not stays or self._closed:
                    break
                self.socket.close()
                self._connect()
        except OSError:  # it was cut
            pass
        self.ended = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with suppress(OSError):  # it was cut
            self.socket.shutdown(socket.SHUT_RDWR)
        if self._thread is not None:
            self._thread.join()
        self.socket.close()


def pages_open(page: PageClient) -> int:
    text = page.get("/metrics").body.decode()
    return int(float(text.partition("\nedgewarden_page_open ")[2].split()[0]))


def test_a_replayed_post_has_no_effect(page: PageClient, consumer: Consumer) -> None:
    said = {"id": "0123456789abcdef", "sensor": "plant/**", "until": "1h"}
    assert [page.say("shelve", **said).status for _ in range(2)] == [200, 200]
    assert page.say("unshelve", sensor="plant/**").status == 200
    page.say("shelve", **said)
    assert page.get("/api/shelved").json["shelved"] == []


def test_a_thousand_open_incidents_are_sent_a_hundred_at_a_time(page: PageClient, consumer: Consumer) -> None:
    for _ in range(4):
        consumer.publish_all(*fields("plant/hot", 1000, 900.0))
    wait_for_all(lambda: asked(page, "/api/incidents")["open"], 1000, "incidents")
    seen = {
        row["sensor"] for first in range(0, 1000, 100) for row in asked(page, f"/api/incidents?first={first}")["rows"]
    }
    assert len(seen) == 1000
    assert len(page.get("/api/incidents").body) < 150_000


def test_ten_thousand_sensors_are_sent_a_hundred_at_a_time(page: PageClient, consumer: Consumer) -> None:
    for number in range(10):
        consumer.publish_all(*fields(f"plant/hall{number}", 1000, 20.0))
    wait_for_all(lambda: asked(page, "/api/sensors")["found"], 10_000, "sensors")
    assert len(asked(page, "/api/sensors?first=9900")["rows"]) == 100
    assert asked(page, "/api/sensors?find=hall3/f0042")["found"] == 1
    assert len(page.get("/api/sensors").body) < 150_000


def test_ten_tabs_receive_everything_and_one_that_reads_nothing_delays_no_other(
    page: PageClient, consumer: Consumer
) -> None:
    with ExitStack() as stack:
        stack.enter_context(OpenTab(page.host, "plant/hot/f0000"))
        tabs = [stack.enter_context(page.stream("plant/hot/f0000")) for _ in range(10)]
        for each in tabs:
            each.wait("hello")
        for value in (900.0, 901.0, 902.0, 903.0):
            consumer.publish_all(*fields("plant/hot", 50, value))
        for each in tabs:
            each.wait("readings", lambda data: data["rows"][-1][1] == 903.0)
            each.wait("incidents", lambda data: data["open"] == 50)


def test_ten_tabs_that_show_a_sensor_for_a_day_of_readings_leave_memory_flat(
    page: PageClient, consumer: Consumer, service: RunningService
) -> None:
    with ExitStack() as stack:
        tabs = [stack.enter_context(OpenTab(page.host, WATCHED)).read(stays=True) for _ in range(10)]
        feed_watched(page, consumer, 0, DAY // 4)
        before = resident(service)
        feed_watched(page, consumer, DAY // 4, 3 * DAY // 4)
        assert resident(service) - before < 12 * MIB
        assert not any(each.ended for each in tabs)
        # If a day arrives faster than the queue of a tab accepts it, the tab loses its connection, and catches up after
        # reconnecting.
        seen = [each.readings for each in tabs]
        following = count(DAY)

        def all_follow() -> bool:
            publish_watched(consumer, next(following), 1)
            return all(each.readings > so_far for each, so_far in zip(tabs, seen, strict=True))

        wait_until(all_follow, what="what follows")


def test_a_tab_that_reads_nothing_is_dropped_and_its_connection_closed(
    page: PageClient, consumer: Consumer, service: RunningService
) -> None:
    with OpenTab(page.host, WATCHED) as slow:
        wait_until(lambda: pages_open(page) == 1, what="the tab")
        before = resident(service)
        feed_watched(page, consumer, 0, DAY)
        wait_until(lambda: pages_open(page) == 0, 120, what="its end")
        assert resident(service) - before < 24 * MIB
        wait_until(lambda: cut(page), 120, what="the connection's end")
        slow.read()
        wait_until(lambda: slow.ended, what="the end of what was under way")
        assert slow.taken < MIB
    with page.stream(WATCHED) as again:
        again.wait("hello")


def cut(page: PageClient) -> bool:
    """Whether no connection of the server has data left to send."""
    port = f"{int(page.host.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return not [row for row in rows if row[1].endswith(f":{port}") and not row[4].startswith("00000000:")]


def test_a_reader_that_keeps_the_store_open_blocks_nothing(
    page: PageClient, consumer: Consumer, service: RunningService
) -> None:
    path: Path = service.folder / "edgewarden.db"
    consumer.publish_all(*fields("plant/hot", 3, 900.0))
    with closing(look_on(path)) as database:
        database.execute("BEGIN")
        database.number("SELECT count(*) FROM events")
        for value in (901.0, 902.0, 903.0):
            consumer.publish_all(*fields("plant/hot", 3, value))
        wait_until(lambda: page.get("/api/incidents").json["open"] == 3, what="the incidents")
        wait_until(lambda: len(page.get("/api/history").json["rows"]) == 3, what="the history")


def test_while_another_program_locks_the_store_the_page_reports_it_and_afterwards_nothing_is_lost(
    page: PageClient, consumer: Consumer, service: RunningService
) -> None:
    consumer.publish_all(*fields("plant/hot", 3, 20.0))
    wait_for_all(lambda: asked(page, "/api/sensors")["found"], 3, "sensors")
    with closing(sqlite3.connect(service.folder / "edgewarden.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for value in (901.0, 902.0, 903.0):
            consumer.publish_all(*fields("plant/hot", 3, value))
        wait_until(lambda: page.get("/health").status == 503, 120, what="being unwell")
        assert page.get("/").status == 200
        assert page.get("/api/history").status == 200
        other.execute("ROLLBACK")
    wait_until(lambda: asked(page, "/api/incidents")["open"] == 3, 120, what="the incidents")
    wait_until(lambda: page.get("/health").status == 200, 120, what="being well")
