"""Notifications to the service manager: ready, alive, reloading, stopping, and a status line.

systemd reads them (sd_notify(3), Type=notify); elsewhere they have no effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edge.shell.link import ServiceLink
from edge.shell.system.notify import notify

EXTEND_EVERY_S = 5.0
EXTEND_BY_S = 60.0
"""During a long start or reload the timeout is extended by this, repeatedly, which is more than one piece of its work
takes on the slowest machine."""


class Supervisor:
    """Notifies the service manager, without repeating a notification.

    Args:
        send: Sends one state; see `notify()`.
        monotonic: Seconds of CLOCK_MONOTONIC.
    """

    def __init__(self, send: Callable[[str], None] = notify, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._monotonic = monotonic
        self._ready = False
        self._status = ""
        self._extended_at: float | None = None

    def working(self) -> None:
        """Notify that a start or reload is in progress and may exceed the manager's timeout."""
        now = self._monotonic()
        if self._extended_at is None or now - self._extended_at >= EXTEND_EVERY_S:
            self._extended_at = now
            self._send(f"EXTEND_TIMEOUT_USEC={round(EXTEND_BY_S * 1e6)}\nWATCHDOG=1")

    def ready(self) -> None:
        """Notify that the start or reload is complete: the store is open and the loop runs."""
        if not self._ready:
            self._ready = True
            self._send("READY=1")

    def reloading(self) -> None:
        """Notify that the configuration is being reloaded; `ready()` ends it."""
        self._ready = False
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(self._monotonic() * 1e6)}")

    def alive(self) -> None:
        """Notify that the loop runs."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Notify that the service stops."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the one-line status shown by `systemctl status`."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")


def standing(inbound: ServiceLink, outbound: ServiceLink, waiting: int | None) -> str:
    """The connected brokers and the number of events waiting for delivery, in one line.

    Args:
        inbound: The link for readings.
        outbound: The link for events; may be the same.
        waiting: Number of undelivered events; None if the store can't be read.
    """
    if inbound is outbound:
        parts = [_of_link("broker", inbound)]
    else:
        of_events = _of_link("events to", outbound) if outbound.options.host else "events to sinks only"
        parts = [_of_link("readings from", inbound), of_events]
    parts.append("the store can't be read" if waiting is None else f"{waiting} events wait for delivery")
    return "; ".join(parts)


def _of_link(name: str, link: ServiceLink) -> str:
    trouble = link.trouble
    state = "connected" if link.connected else f"NOT connected ({trouble})" if trouble else "NOT connected"
    refused = len(link.refused_subscriptions)
    but = f", {refused} subscriptions refused" if refused else ""
    return f"{name} {link.options.host}:{link.options.port} {state}{but}"
