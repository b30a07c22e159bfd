"""The page: size and speed of its first view, and its cost for the service, open and not.

The first view is opened in Chromium with an empty cache, alternating with a peer: one static file of the same size from
the same server with the same settings. The cost of the page is measured on three services that read the same quiet
plant at the same time: without a page, with one that isn't open, and with one that is open in Chromium.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from figures import Figure
from ingest import Load, go, publish, publisher, running
from processes import resident_mib
from quiet import WARMING_S, mosquitto_as_installed, usage_of

from edge.shell.broker.embedded import free_port, is_listening

sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))

from browser import Browser  # a helper of the tests

SENSORS = 1000
ADDRESS = re.compile(r"page address=http://([^/ ]+)/")
CONFIGURATION = """\
[gateway]
name = "{name}"
[broker]
port = {port}
[[input]]
topic = "plant/#"
"""
SEEN = """
new MutationObserver((_, watching) => {
  if (!document.querySelector(".incident, .calm:not([hidden])")) return;
  window.seenAfter = performance.now();
  watching.disconnect();
}).observe(document, { childList: true, subtree: true, attributes: true });
"""
"""Notes when the list of incidents is in the document, or that there are none: milliseconds since the navigation."""

LOADED = """
const all = performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource"))
  .filter((each) => each.startTime < window.seenAfter && each.duration > 0);
return [window.seenAfter, all.map((each) => [new URL(each.name).pathname, each.transferSize])];
"""


class View(NamedTuple):
    """A view as loaded by the browser.

    Attributes:
        shown_ms: Milliseconds from the start of the navigation until the content was visible.
        requests: Paths requested until then, each with its bytes on the wire.
    """

    shown_ms: float
    requests: list[tuple[str, int]]

    @property
    def size(self) -> int:
        """Total bytes on the wire."""
        return sum(each for _, each in self.requests)


def view(browser: Browser, address: str) -> View:
    """Open an address with an empty cache."""
    browser.open("about:blank")
    browser.cdp("Network.clearBrowserCache")
    browser.open(address)
    browser.wait("return window.seenAfter > 0")
    shown, requests = browser.run(LOADED)
    return View(shown, [tuple(each) for each in requests])


def server_ms(host: str, paths: list[str]) -> float:
    """Milliseconds for the requests, one after the other over one connection, without a browser."""
    connection = http.client.HTTPConnection(host, timeout=30)
    connection.connect()
    began = time.perf_counter()
    for path in paths:
        connection.request("GET", path)
        connection.getresponse().read()
    taken = time.perf_counter() - began
    connection.close()
    return 1000 * taken


@contextmanager
def static_file(content: bytes) -> Iterator[str]:
    """A server like the page's that answers every request with one HTML file; yields its host and port."""
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"no-store")]

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    port = free_port()
    settings = {"loop": "asyncio", "http": "h11", "lifespan": "off", "log_config": None, "access_log": False}
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, **settings))  # type: ignore[arg-type]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not is_listening("127.0.0.1", port):
        time.sleep(0.01)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving(folder: Path, name: str, port: int, *, page: bool) -> Iterator[tuple[int, str]]:
    """A service with the default configuration; yields its process id, and its page's host and port if it has one."""
    path, log = folder / f"{name}.toml", folder / f"{name}.log"
    store = f'[store]\npath = "{name}.db"\n'
    path.write_text(CONFIGURATION.format(name=name, port=port) + store + ("[page]\nport = 0\n" if page else ""))
    command = [sys.executable, "-m", "edge", "run", str(path)]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as service:
        try:
            address = None
            while page and address is None:
                if service.poll() is not None:
                    raise SystemExit(log.read_text())
                time.sleep(0.1)
                address = ADDRESS.search(log.read_text())
            yield service.pid, address[1] if address else ""
        finally:
            service.kill()


def found(host: str) -> int:
    """Number of sensors that the service behind a page knows; 0 until it answers."""
    try:
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", "/api/sensors")
        found = re.search(rb'"found":(\d+)', connection.getresponse().read())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def first_view(runs: int, *, quick: bool) -> list[Figure]:
    """Figures of the first view with 1,000 sensors, against a static file of the same size."""
    views, peers, ours, theirs = [], [], [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(mosquitto_as_installed(folder))
        _, host = stack.enter_context(serving(folder, "bench", port, page=True))
        while found(host) < SENSORS:
            publish(port, Load(3 * SENSORS, sensors=SENSORS))
        browser = stack.enter_context(Browser())
        browser.cdp("Page.addScriptToEvaluateOnNewDocument", source=SEEN)
        whole = view(browser, f"http://{host}/")
        head, tail = b"<!doctype html><title>peer</title><!--", b'--><p class="calm">Nothing is wrong.</p>'
        padding = b"x" * (whole.size - len(head) - len(tail))
        peer = stack.enter_context(static_file(head + padding + tail))
        for _ in range(runs if quick else 3 * runs):
            views.append(view(browser, f"http://{host}/"))
            peers.append(view(browser, f"http://{peer}/"))
            ours.append(server_ms(host, [path for path, _ in views[-1].requests if path != "/api/stream"]))
            theirs.append(server_ms(peer, ["/"]))
    part, name = "page", "static file of as many bytes"
    return [
        Figure(part, "first view, 1,000 sensors: bytes", "kB", [each.size / 1000 for each in views], most=150.0),
        Figure(part, "its requests", "", [float(len(each.requests)) for each in views], most=20.0),
        Figure(part, "until it is shown", "ms", [each.shown_ms for each in views], most=300.0),
        Figure(part, "the same", "ms", [e.shown_ms for e in views], [e.shown_ms for e in peers], name),
        Figure(part, "of it, the server, one request after the other", "ms", ours, theirs, name),
    ]


def cost(runs: int, *, quick: bool) -> list[Figure]:
    """Memory and CPU of a page that isn't open, and of one that is, against a service without a page."""
    seconds = 20.0 if quick else 60.0
    memory: dict[str, list[float]] = {"without": [], "unseen": [], "open": []}
    cpu: dict[str, list[float]] = {"without": [], "unseen": [], "open": []}
    for _ in range(runs):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            port = stack.enter_context(mosquitto_as_installed(folder))
            services = {
                name: stack.enter_context(serving(folder, name, port, page=name != "without")) for name in memory
            }
            browser = stack.enter_context(Browser())
            browser.open(f"http://{services['open'][1]}/")
            browser.wait("return document.querySelector('.link.live') !== null")
            load = Load(int(100 * (seconds + WARMING_S + 5)), sensors=100, rate=100.0)
            flood = stack.enter_context(running(*publisher(port, load, "--start", str(time.time()))))
            go(flood)
            time.sleep(WARMING_S)
            before = {name: usage_of(pid) for name, (pid, _) in services.items()}
            time.sleep(seconds)
            for name, (pid, _) in services.items():
                cpu[name].append(1e6 * usage_of(pid).since(before[name]).cpu_s / (100 * seconds))
                memory[name].append(resident_mib(pid))
    more = [seen - without for seen, without in zip(memory["unseen"], memory["without"], strict=True)]
    opened = [seen - without for seen, without in zip(memory["open"], memory["without"], strict=True)]
    part, peer = "page", "without a page"
    return [
        Figure(part, "memory more, nobody looks", "MiB", more, most=12.0),
        Figure(part, "memory more, open in a browser", "MiB", opened),
        Figure(part, "CPU a reading, nobody looks", "us", cpu["unseen"], cpu["without"], peer, most=1.1),
        Figure(part, "CPU a reading, open in a browser", "us", cpu["open"], cpu["without"], peer),
    ]


def whole(runs: int, *, quick: bool) -> list[Figure]:
    """Figures of the first view and of the cost of the page."""
    return first_view(runs, quick=quick) + cost(runs, quick=quick)
