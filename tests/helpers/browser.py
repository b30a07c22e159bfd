"""Chromium, driven over the WebDriver protocol: what a person sees and does on a page.

Source: W3C WebDriver Level 2; chromedriver's `goog/cdp` for what the protocol lacks.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "ArrowLeft": "\ue012", "ArrowRight": "\ue014", "Tab": "\ue004"}
MISSING = "Chromium and its driver aren't installed (apt-get install chromium chromium-driver)"


def find_browser() -> tuple[str, str] | None:
    """Paths of Chromium and of its driver; None if they aren't installed."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class BrowserError(Exception):
    """The browser reports an error."""


class Browser:
    """One window."""

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        found = find_browser()
        assert found is not None, MISSING
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._base = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen([found[1], f"--port={port}", "--log-level=SEVERE"], stdout=subprocess.DEVNULL)
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
        arguments += [f"--window-size={width},{height}", "--force-prefers-reduced-motion", "--lang=en"]
        options = {"binary": found[0], "args": arguments}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._session = ""
        self._session = self._begin(wanted)

    def _begin(self, wanted: dict[str, Any]) -> str:
        until = time.monotonic() + 60
        while True:
            try:
                return self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def _ask(self, method: str, path: str, content: Any = None) -> Any:
        where = f"{self._base}/session" + (f"/{self._session}" if self._session else "") + path
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(where, data, {"content-type": "application/json"}, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - our own driver
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(json.load(error)["value"]["message"]) from None

    def open(self, address: str) -> None:
        """Go to an address."""
        self._ask("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script that runs in the page."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str, *arguments: Any, timeout_s: float = 60.0) -> Any:
        """Wait until a script returns a true value, and return it."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            found = self.run(script, *arguments)
            if found:
                return found
            time.sleep(0.03)
        raise AssertionError(f"not within {timeout_s} s: {script} {arguments}\n{self.text()[:2000]}\n{self.log()}")

    def wait_text(self, text: str, timeout_s: float = 60.0) -> None:
        """Wait until the page shows a text."""
        self.wait("return document.body.innerText.includes(arguments[0])", text, timeout_s=timeout_s)

    def text(self) -> str:
        """All text that the page shows."""
        return str(self.run("return document.body.innerText"))

    def click(self, selector: str) -> None:
        """Click the first element that a selector finds, once it is there; the page may put another in its place."""
        until = time.monotonic() + 15
        while True:
            try:
                element = self._ask("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]
                self._ask("POST", f"/element/{element}/click", {})
            except BrowserError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self._ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def type(self, text: str) -> None:
        """Type text into the focused element."""
        self.press(*text)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with the mouse from one position in the window to another."""
        actions = [
            {"type": "pointerMove", "duration": 0, "x": start[0], "y": start[1]},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "duration": 60, "x": end[0], "y": end[1]},
            {"type": "pointerUp", "button": 0},
        ]
        self._ask("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def look(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0, touch: bool = False) -> None:
        """Emulate a screen of this size and colour scheme."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": touch}
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        reduced = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.cdp("Emulation.setEmulatedMedia", features=[scheme, reduced])

    def cdp(self, command: str, **parameters: Any) -> Any:
        """Execute a command of the Chrome DevTools protocol."""
        return self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def screenshot(self, path: Path) -> None:
        """Write a screenshot of the window as PNG."""
        path.write_bytes(base64.b64decode(self._ask("GET", "/screenshot")))

    def log(self) -> list[str]:
        """Errors in the browser's console since the last call."""
        return [each["message"] for each in self._ask("POST", "/se/log", {"type": "browser"})]

    def close(self) -> None:
        """Close the window and end the driver."""
        try:
            if self._session:
                self._ask("DELETE", "")
        except (OSError, BrowserError):  # it is ended below in any case
            pass
        self._driver.terminate()
        self._driver.wait(20)

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
