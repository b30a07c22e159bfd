from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from store_examples import event

from edge.core.incidents.events.event import Event
from edge.page.live import audience as module
from edge.page.live.audience import BEHIND, MOST_PAGES, MOST_TOGETHER, WAITING_BYTES, Audience, Tab


class Quiet:
    """A hand-over that records who listens."""

    def __init__(self) -> None:
        self.watched: frozenset[str] | None = frozenset()

    def listen(self, listener: Any, watched: frozenset[str]) -> None:
        self.watched = watched if listener is not None else None


@pytest.fixture
def handover() -> Quiet:
    return Quiet()


@pytest.fixture
def audience(handover: Quiet, monkeypatch: pytest.MonkeyPatch) -> Audience:
    monkeypatch.setattr(module, "GATHER_S", 0.0)
    monkeypatch.setattr(module, "incident_row", lambda each: {"sensor": each.sensor})
    return Audience(handover, lambda: None)  # type: ignore[arg-type]


def events(count: int) -> list[Event]:
    return [event(number)._replace(sensor=f"s{number}", incident=f"i{number}") for number in range(1, count + 1)]


async def received(tab: Tab) -> list[tuple[str, Any]]:
    content = (await tab.next() or b"").decode()
    found = [each.split("\n") for each in content.split("\n\n") if each]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in found]


def test_news_are_collected_and_sent_to_all_pages_at_once(audience: Audience) -> None:
    async def run() -> list[Any]:
        tabs = [Tab(None), Tab(None)]
        for each in tabs:
            audience.join(each)
        for each in events(3):
            audience.events([each], 3)
        return [await received(each) for each in tabs]

    one, other = asyncio.run(run())
    assert one == other == [("incidents", {"open": 3, "many": False, "rows": [{"sensor": f"s{n}"} for n in (1, 2, 3)]})]


def test_of_a_flood_only_the_size_is_sent(audience: Audience) -> None:
    async def run() -> list[Any]:
        tab = Tab(None)
        audience.join(tab)
        audience.events(events(MOST_TOGETHER + 1), 1000)
        return await received(tab)

    assert asyncio.run(run()) == [("incidents", {"open": 1000, "many": True, "rows": []})]


def test_readings_are_sent_to_the_pages_that_show_their_sensor(audience: Audience, handover: Quiet) -> None:
    async def run() -> tuple[list[Any], bool]:
        mine, other = Tab("a"), Tab("b")
        audience.join(mine)
        audience.join(other)
        assert handover.watched == {"a", "b"}
        audience.readings({"a": [[1.0, 2.0, None, 6.0, None, None]]})
        audience.readings({"a": [[2.0, 3.0, None, 6.0, None, None]]})
        found = await received(mine)
        return found, other._news.is_set()

    found, disturbed = asyncio.run(run())
    assert [row[1] for row in found[0][1]["rows"]] == [2.0, 3.0]
    assert not disturbed


def test_a_page_that_is_too_slow_is_notified_and_disconnected() -> None:
    async def run() -> list[bytes | None]:
        tab = Tab(None)
        for _ in range(WAITING_BYTES // 1000 + 2):
            tab.tell(b"x" * 1000)
        return [await tab.next(), await tab.next()]

    assert asyncio.run(run()) == [BEHIND, None]


def test_a_page_gets_the_rest_before_it_is_disconnected_at_the_end() -> None:
    async def run() -> list[bytes | None]:
        tab = Tab(None)
        tab.tell(b"last")
        tab.end()
        return [await tab.next(), await tab.next()]

    assert asyncio.run(run()) == [b"last", None]


def test_listening_stops_once_the_last_page_is_gone(audience: Audience, handover: Quiet) -> None:
    tabs = [Tab("a") for _ in range(MOST_PAGES)]
    for each in tabs:
        audience.join(each)
    assert audience.is_full
    for each in tabs:
        audience.leave(each)
    assert handover.watched is None
