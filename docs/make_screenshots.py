"""Regenerates the screenshots of the page in the documentation: `python docs/make_screenshots.py`.

Needs Chromium with its driver (apt-get install chromium chromium-driver), mosquitto, and what tests need. A simulated
plant runs for three days of its own time, in about a minute, and each view is captured as a PNG with few colours.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from browser import Browser  # noqa: E402 - the helpers of the tests
from page_client import PageClient, page_host  # noqa: E402
from PIL import Image  # noqa: E402
from running import Consumer, RunningService  # noqa: E402

from edge.shell.broker.embedded import EmbeddedBroker  # noqa: E402
from simulators.demo.demo import CONFIGURATION, PAGE  # noqa: E402 - the plant of the demo

FOLDER = ROOT / "docs" / "pictures"
COLOURS = 256
KEEP = 4
"""Rounds of k-means, after which the colours are those of the page."""

TROUBLE = {
    "plant/line1/pump1/vibration": 3.2,
    "plant/line1/motor1/winding": 1.25,
    "plant/line1/tank1/level": 0.55,
    "plant/line2/pump1/current": 1.4,
}
"""Sensors that become faulty before the screenshots are taken, and by how much."""


def simulate(port: int, sensors: int, rate: float) -> None:
    """Publish the plant's readings."""
    plant = ("--sensors", str(sensors), "--seed", "3", "--interval", "120s", "--duration", "3d", "--fault-share", "0.4")
    command = [sys.executable, "-m", "edge", "simulate", "--host", "127.0.0.1", "--port", str(port), *plant]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "--rate", str(rate)], check=True, env=environment, stdout=subprocess.DEVNULL)


def settle(client: PageClient) -> None:
    """Wait until no more readings are processed."""
    before, now = -1, 0
    while now > before:
        time.sleep(4)
        before, now = now, client.get("/api/status").json["health"]["readings"]


def trouble(client: PageClient, port: int) -> str:
    """Have some sensors go wrong just now, and one of them acknowledged; returns the name of the worst."""
    sensors = {each["sensor"]: each for each in client.get("/api/sensors").json["rows"]}
    consumer = Consumer(port)
    for name, factor in TROUBLE.items():
        row = sensors[name]
        times = [row["time"] / 1000 + 5 * (step + 1) for step in range(3)]
        readings = [{"ts": time, "value": row["value"] * factor * (1 + 0.01 * step)} for step, time in enumerate(times)]
        consumer.publish_all(name, [json.dumps(each) for each in readings])
    consumer.close()
    settle(client)
    incidents = client.get("/api/incidents").json["rows"]
    client.say("acknowledge", incident=incidents[-1]["incident"], by="ada", comment="bearing is ordered")
    return str(next(each["sensor"] for each in incidents if each["sensor"] in TROUBLE))


def take(browser: Browser, base: str, path: str, name: str, ready: str) -> None:
    """Open a view, wait until it is whole, and keep its picture."""
    browser.open("about:blank")
    browser.open(f"{base}{path}")
    browser.wait(ready, timeout_s=60)
    time.sleep(0.5)
    file = FOLDER / f"{name}.png"
    browser.screenshot(file)
    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, KEEP, dither=Image.Dither.NONE)
        few.save(file, optimize=True)


def main() -> None:
    """Make them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensors", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2500.0)
    given = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        broker = EmbeddedBroker(Path(folder) / "broker", prefer="mosquitto")
        broker.start()
        service = RunningService(Path(folder), CONFIGURATION.format(gateway="plant7", port=broker.port) + PAGE).start()
        try:
            host = page_host(service)
            client = PageClient(host)
            simulate(broker.port, given.sensors, given.rate)
            settle(client)
            sensor = trouble(client, broker.port)
            with Browser() as browser:
                shoot(browser, f"http://{host}/", sensor)
        finally:
            service.end()
            broker.stop()


def shoot(browser: Browser, base: str, sensor: str) -> None:
    """Take every view, light, dark and on a phone."""
    place = f"#/sensor/{sensor.replace('/', '%2F')}?hours=24"
    listed = "return document.querySelectorAll('.incidents li, .calm:not([hidden])').length > 0"
    drawn = "return document.querySelector('.bandarea')?.getAttribute('d') && !document.querySelector('.plot.waits')"
    rows = "return document.querySelectorAll('tbody tr').length > 0"
    browser.look(1200, 760)
    take(browser, base, "#/", "page-incidents", listed)
    take(browser, base, "#/sensors?order=state", "page-sensors", rows)
    take(browser, base, "#/history", "page-history", rows)
    take(browser, base, "#/health", "page-health", "return document.querySelector('.verdict b')")
    browser.look(1200, 900, dark=True)
    take(browser, base, place, "page-sensor-dark", drawn)
    browser.look(1200, 900)
    take(browser, base, place, "page-sensor", drawn)
    browser.look(390, 760, touch=True)
    take(browser, base, "#/", "page-phone", listed)


if __name__ == "__main__":
    main()
