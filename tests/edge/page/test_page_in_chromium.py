"""The page in a real browser: what a person sees and does, and what subscribers receive as a result."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest
from browser import MISSING, Browser, find_browser
from page_client import PageClient, page_host
from running import PATIENT, Consumer, RunningService, configuration, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = [pytest.mark.long, pytest.mark.skipif(find_browser() is None, reason=MISSING)]

SENSOR = "plant/pump/temp"
HOSTILE = "plant/<img src=x onerror=window.hacked=1>\"'&\u202e"
BEGAN = time.time() - 3600
DRAWN = "return document.querySelector('.plot .line')?.getAttribute('d')?.length > 50"
TICKS = "return [...document.querySelectorAll('.plot svg text')].map((each) => each.textContent).join(' ')"
WAITS = "return !document.querySelector('.plot.waits') && document.querySelector('.plot .bandarea')?.getAttribute('d')"


def reading(index: int, value: float) -> str:
    return json.dumps({"ts": BEGAN + 10 * index, "value": value})


NORMAL = [reading(index, 20 + index % 5 / 10) for index in range(200)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as made:
        yield made


@pytest.fixture
def service(
    make_service: Callable[[str], RunningService], own_mosquitto: EmbeddedBroker, consumer: Consumer
) -> RunningService:
    made = make_service(configuration(own_mosquitto.port, page="port = 0") + PATIENT).start()
    page_host(made)
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", 30, what="the service's start")
    return made


@pytest.fixture
def page(service: RunningService, browser: Browser) -> Iterator[str]:
    """The address of the page; any error in the browser's console fails the test."""
    browser.log()
    browser.look(1280, 900)
    address = f"http://{page_host(service)}/"
    yield address
    assert [each for each in browser.log() if "ERR_CONNECTION_REFUSED" not in each] == []
    browser.open("about:blank")


def spike(consumer: Consumer, sensor: str = SENSOR) -> None:
    consumer.publish_all(sensor, [*NORMAL, reading(200, 99.0)])


def test_a_spike_appears_on_the_open_page_and_its_button_publishes_over_mqtt(
    page: str, browser: Browser, consumer: Consumer
) -> None:
    browser.open(page)
    browser.wait_text("No sensor has been heard yet.")
    browser.wait("return document.querySelector('.link.live') !== null")
    spike(consumer)
    browser.wait_text(f"{SENSOR} is at 99")
    browser.click("[data-do=acknowledge]")
    seen = wait_until(lambda: [each for each in consumer.events() if each["data"]["acknowledged"]], what="the event")
    assert seen[0]["subject"] == SENSOR
    browser.wait("return document.querySelector('.incident.seen') !== null")
    assert browser.run("return document.querySelector('[data-do=acknowledge]') === null")
    browser.wait_text(f"{SENSOR} is at 99")
    assert "acknowledged by page" in browser.text()


def test_an_incident_is_muted_for_hours_and_declared_normal(page: str, browser: Browser, consumer: Consumer) -> None:
    spike(consumer)
    browser.open(page)
    browser.click("details.menu summary")
    browser.click("details.menu button")
    wait_until(lambda: (consumer.latest("/shelved") or {}).get("shelved"), what="the shelf")
    browser.wait("return document.querySelector('[data-do=unmute]') !== null")
    browser.click("[data-do=normal]")
    browser.wait_text("Is this normal?")
    browser.click("dialog button.main")
    browser.wait_text("Nothing is wrong.")
    wait_until(lambda: [each for each in consumer.events() if each["data"]["transition"] == "expired"], what="the end")


def test_the_keyboard_does_what_the_mouse_does(page: str, browser: Browser, consumer: Consumer) -> None:
    spike(consumer)
    browser.open(page)
    browser.wait("return document.querySelector('.incident') !== null")
    browser.press("j", "a")
    browser.wait("return document.querySelector('.incident.seen') !== null")
    browser.press("Enter")
    browser.wait("return location.hash.startsWith('#/sensor/')")
    browser.press("2")
    browser.wait("return document.querySelector('input[type=search]') !== null")
    browser.press("/")
    browser.type("nothing")
    browser.wait_text("No sensor is like that.")


def zoom_by_mouse(browser: Browser, whole: str) -> None:
    """Drag over a part of the plot until other times are shown; what appears above it moves it."""
    for _ in range(5):
        box = browser.run(
            "const box = document.querySelector('.plot svg').getBoundingClientRect(); return [box.x, box.y, box.width]"
        )
        left, top, width = (round(each) for each in box)
        browser.drag((left + width // 2, top + 60), (left + width // 2 + 200, top + 60))
        with suppress(AssertionError):
            browser.wait(f"{TICKS} !== arguments[0]", whole, timeout_s=10)
            return
    pytest.fail("the plot isn't zoomed by the mouse")


def test_the_plot_of_a_sensor_grows_and_is_zoomed_by_mouse_and_keys(
    page: str, browser: Browser, consumer: Consumer
) -> None:
    spike(consumer)
    browser.open(f"{page}#/sensor/{quote(SENSOR, safe='')}?hours=1")
    browser.wait(DRAWN, timeout_s=40)
    browser.wait(WAITS, timeout_s=60)
    whole = browser.run(TICKS)
    zoom_by_mouse(browser, whole)
    browser.run("document.querySelector('.plot svg').focus()")
    browser.press("Escape")
    browser.wait(f"{TICKS} === arguments[0]", whole)
    consumer.publish(SENSOR, reading(201, 42.125))
    browser.wait("return document.querySelector('.tile dd').textContent === '42.125'")


def test_a_phone_sees_everything_without_scrolling_sideways(page: str, browser: Browser, consumer: Consumer) -> None:
    spike(consumer)
    browser.look(390, 800, touch=True)
    for view in ("", "sensors", "history", "refused", "health", f"sensor/{quote(SENSOR, safe='')}"):
        browser.open("about:blank")
        browser.open(f"{page}#/{view}")
        browser.wait("return document.querySelector('h1') !== null")
        browser.wait("return document.querySelector('.link.live') !== null")
        assert browser.run("return document.documentElement.scrollWidth") <= 390, view
    browser.open(page)
    browser.wait("return document.querySelector('.incident button') !== null")
    heights = browser.run("return [...document.querySelectorAll('.incident button')].map((each) => each.offsetHeight)")
    assert min(height for height in heights if height) >= 40


def luminance(colour: str) -> float:
    red, green, blue = (
        (each / 255 / 12.92 if each / 255 <= 0.03928 else ((each / 255 + 0.055) / 1.055) ** 2.4)
        for each in map(float, re.findall(r"[\d.]+", colour)[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_light_or_dark_as_the_browser_prefers_and_legible(
    page: str, browser: Browser, consumer: Consumer, dark: bool
) -> None:
    spike(consumer)
    browser.look(1280, 900, dark=dark)
    browser.open(page)
    browser.wait("return document.querySelector('.incident') !== null")
    ground = luminance(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert (ground < 0.1) is dark
    for selector in (".sentence", ".meta", ".head", "nav a", ".count"):
        ink = luminance(browser.run("return getComputedStyle(document.querySelector(arguments[0])).color", selector))
        lighter, darker = max(ink, ground), min(ink, ground)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, selector  # WCAG 2.2, 1.4.3


def test_hostile_names_are_text_in_every_view(page: str, browser: Browser, consumer: Consumer) -> None:
    spike(consumer, HOSTILE)
    for view in ("", "sensors", "history", f"sensor/{quote(HOSTILE, safe='')}"):
        browser.open("about:blank")
        browser.open(f"{page}#/{view}")
        browser.wait_text("<img src=x onerror=window.hacked=1>\"'&\\u202e")
        assert browser.run("return window.hacked === undefined && document.querySelector('main img') === null"), view


def test_a_restart_with_an_open_page_is_reported_and_survived(
    page: str, browser: Browser, service: RunningService, consumer: Consumer
) -> None:
    spike(consumer)
    port = page_host(service).rpartition(":")[2]
    service.path.write_text(service.path.read_text().replace("port = 0", f"port = {port}"))
    browser.open(page)
    browser.wait("return document.querySelector('.incident') !== null && document.querySelector('.link.live') !== null")
    service.end()
    browser.wait_text("connection lost, trying again")
    service.start()
    browser.wait("return document.querySelector('.link.live') !== null", timeout_s=120)
    consumer.publish("plant/other", json.dumps({"value": 1.0}))
    PageClient(f"127.0.0.1:{port}").say("normal", sensor=SENSOR)
    browser.wait_text("Nothing is wrong.")


def test_the_first_view_is_small(page: str, browser: Browser, consumer: Consumer) -> None:
    spike(consumer)
    browser.open(page)
    browser.wait("return document.querySelector('.incident') !== null")
    script = """return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
        .reduce((sum, each) => sum + each.transferSize, 0)"""
    assert 20_000 < browser.run(script) < 150_000


def test_a_service_that_hangs_is_not_shown_as_live_and_recovers(
    page: str, browser: Browser, service: RunningService, consumer: Consumer
) -> None:
    browser.open(page)
    browser.wait("return document.querySelector('.link.live') !== null")
    assert service.process is not None
    service.process.send_signal(signal.SIGSTOP)
    try:
        browser.wait_text("connection lost, trying again", timeout_s=120)
    finally:
        service.process.send_signal(signal.SIGCONT)
    spike(consumer)
    browser.wait("return document.querySelector('.link.live') !== null")
    browser.wait_text(f"{SENSOR} is at 99")


def test_a_tab_that_slept_shows_the_events_in_the_meantime(page: str, consumer: Consumer) -> None:
    with Browser() as browser:  # one event per client, since an event might not wake all waiting threads
        browser.open(page)
        browser.wait("return document.querySelector('.link.live') !== null")
        browser.cdp("Page.setWebLifecycleState", state="frozen")
        spike(consumer)
        wait_until(consumer.events, what="the event")
        browser.cdp("Page.setWebLifecycleState", state="active")
        browser.wait_text(f"{SENSOR} is at 99")


def test_a_list_that_cannot_be_updated_says_so_until_it_can(page: str, browser: Browser, consumer: Consumer) -> None:
    browser.open(f"{page}#/sensors")
    browser.wait_text("No sensor has been heard yet.")
    refuse = """
    window.asked = window.fetch;
    window.fetch = async () => new Response('{"error": "the service is busy"}', { status: 503 });
    """
    browser.run(refuse)
    browser.wait_text("the service is busy")
    browser.run("window.fetch = window.asked")
    browser.wait("return document.querySelector('.notice') === null")


def test_a_sensor_without_an_incident_immediately_shows_that_it_is_muted_here_or_elsewhere(
    page: str, browser: Browser, consumer: Consumer
) -> None:
    consumer.publish_all(SENSOR, NORMAL[:5])
    browser.open(f"{page}#/sensor/{quote(SENSOR, safe='')}")
    browser.wait("return [...document.querySelectorAll('button')].some((each) => each.innerText === 'Mute …')")
    client = PageClient(page.removeprefix("http://").strip("/"))
    assert client.say("shelve", sensor=SENSOR, until="1h").json["ok"]
    browser.wait("return [...document.querySelectorAll('button')].some((each) => each.innerText === 'Unmute')")


def test_a_page_of_a_sensor_that_is_forgotten_says_so(page: str, browser: Browser, consumer: Consumer) -> None:
    consumer.publish_all(SENSOR, NORMAL[:5])
    browser.open(f"{page}#/sensor/{quote(SENSOR, safe='')}")
    browser.wait("return document.querySelector('.tile dd') !== null")
    assert PageClient(page.removeprefix("http://").strip("/")).say("forget", sensor=SENSOR).json["ok"]
    browser.wait_text("This sensor has been forgotten.")
    browser.log()  # Chromium notes the 404


@pytest.mark.parametrize("address", ["%", "%E0%A4%A", "nobody", ""])
def test_an_address_of_an_unknown_sensor_says_so(page: str, browser: Browser, address: str) -> None:
    browser.open(f"{page}#/sensor/{address}")
    browser.wait_text("There is no such sensor.")
    browser.log()  # Chromium notes the 404


def test_a_page_of_another_version_reloads_itself(page: str, browser: Browser) -> None:
    browser.open(page)
    browser.wait("return document.querySelector('.link.live') !== null")
    browser.run("""
    window.isOld = true;
    const parse = JSON.parse;
    JSON.parse = (text) => { const found = parse(text); if (found.page) found.page = "another"; return found; };
    location.hash = "#/sensor/nobody";
    """)
    browser.wait("return window.isOld === undefined && document.querySelector('.link.live') !== null")
    browser.log()  # Chromium notes the 404


def test_an_incident_of_several_sensors_has_one_sentence_and_a_link(
    page: str, browser: Browser, consumer: Consumer
) -> None:
    names = ["temp", "flow", "speed", "power"]
    for each in [*range(200), 200, 201, 202]:
        values = dict.fromkeys(names, 20 + each % 5 / 10 if each < 200 else 900)
        consumer.publish("plant/pump", json.dumps({"ts": BEGAN + 10 * each, **values}))
    browser.open(page)
    browser.wait_text("have jumped together")
    card = browser.run("""
    return [...document.querySelectorAll('.incident')].find((each) => each.innerText.includes('together')).innerText""")
    assert re.search(r"^\d sensors of plant/pump have jumped together", card, re.MULTILINE), card
    assert "told of plant/pump/" in card
