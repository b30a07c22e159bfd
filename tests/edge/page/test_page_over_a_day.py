"""The memory of a browser tab that is open for a day: tens of thousands of readings, hundreds of incidents."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from urllib.parse import quote

import pytest
from browser import MISSING, Browser, find_browser
from page_client import PageClient, page_host
from running import Consumer, RunningService, configuration, wait_for_all, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = [pytest.mark.long, pytest.mark.skipif(find_browser() is None, reason=MISSING)]

RULE = '\n[[rule]]\nsensors = "plant/hot/**"\n[rule.detectors.limits]\nhigh = 250.0\n'
WATCHED = "plant/hot/watched"
DAY_S, EVERY_S = 86_400, 12
DAY = DAY_S // EVERY_S
"""Readings of a day."""

PACK = 60
EVENTS = 300
"""Minimum number of events in a day: a third of the packs begins and ends an incident."""

OTHERS = 4
MIB = 2**20


@pytest.fixture
def service(make_service: Callable[[str], RunningService], own_mosquitto: EmbeddedBroker) -> RunningService:
    return make_service(configuration(own_mosquitto.port, page="port = 0") + RULE).start()


@pytest.fixture
def page(service: RunningService) -> PageClient:
    return PageClient(page_host(service))


@pytest.fixture
def consumer(own_mosquitto: EmbeddedBroker, page: PageClient) -> Iterator[Consumer]:
    made = Consumer(own_mosquitto.port, "edgewarden/gw/result")

    def is_heard() -> bool:
        made.publish("plant/first", json.dumps({"value": 1.0}))
        answer = page.get("/api/sensors?find=first")
        return answer.status == 200 and answer.json["found"] == 1

    wait_until(is_heard, 120, what="the service's subscription")
    yield made
    made.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as made:
        yield made


def feed(consumer: Consumer, page: PageClient, first: int, last: int) -> None:
    """Publish a part of the day as fast as the service accepts it: incidents begin and end all the time."""
    began = DAY_S * (time.time() // DAY_S - 2)
    for start in range(first, last, PACK):
        for number in range(OTHERS + 1):
            hot = range(20, 30) if (start // PACK + number) % 3 == 0 else range(0)
            values = [900.0 if each in hot else each % 7 for each in range(PACK)]
            pack = [{"ts": began + EVERY_S * (start + at), "value": value} for at, value in enumerate(values)]
            consumer.publish_all(WATCHED if number == 0 else f"plant/hot/other{number}", [json.dumps(pack)])
    wait_for_all(lambda: learned(page), last, "readings")


def learned(page: PageClient) -> int:
    answer = page.get("/api/sensors?find=watched")
    return int(answer.json["rows"][0]["readings"]) if answer.status == 200 and answer.json["rows"] else 0


def memory(browser: Browser) -> tuple[float, float]:
    """Bytes of the page's JavaScript heap and number of its elements, after garbage collection."""
    browser.cdp("Performance.enable")
    browser.cdp("HeapProfiler.enable")
    for _ in range(3):
        browser.cdp("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in browser.cdp("Performance.getMetrics")["metrics"]}
    return found["JSHeapUsedSize"], found["Nodes"]


@pytest.mark.parametrize("view", ["", f"sensor/{quote(WATCHED, safe='')}?hours=168"], ids=["incidents", "a sensor"])
def test_a_tab_that_is_open_for_a_day_uses_no_more_memory_at_the_end(
    browser: Browser, page: PageClient, consumer: Consumer, view: str
) -> None:
    taken = []
    address = f"http://{page.host}/#/{view}"
    parts = [0, *(round(DAY * share / PACK) * PACK for share in (0.1, 0.5, 1.0))]
    for first, last in pairwise(parts):
        feed(consumer, page, first, last)
        if first == 0:
            browser.open(address)
        incidents = page.get("/api/incidents").json
        browser.wait_text(
            f"{last:,} readings" if view else f"{incidents['open']} open of {incidents['sensors']} sensors"
        )
        taken.append(memory(browser))
    assert page.get("/api/status").json["store"]["events"] > EVENTS
    assert taken[-1][0] - taken[0][0] < 12 * MIB
    assert taken[-1][1] - taken[0][1] < 5000
