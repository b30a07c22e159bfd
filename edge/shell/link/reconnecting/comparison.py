"""Comparison: a second connection to the broker with another ID, to distinguish the broker from the network.

A connection that is closed again and again looks the same to its client whether another client with the same ID
displaces it or something on the way closes connections. The latter ends this one, too; a displaced client's comparison
stays. It subscribes to nothing and publishes nothing. It is probed by an UNSUBSCRIBE, which every broker answers, since
an idle connection may be dead for a while without either side noticing.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from paho.mqtt.client import Client, ConnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.failure_reasons import why_refused
from edge.shell.link.link_options import LinkOptions
from edge.shell.link.receiving.bulk_client import make_client
from edge.shell.link.versions.abilities import Abilities
from edge.shell.link.versions.mqtt5 import session
from edge.shell.link.versions.version_choice import Version

log = logging.getLogger("edgewarden.link")

STEP_S = 0.5
"""Maximum time until a request to stop is noticed."""

NOBODYS = "edgewarden-comparison"
"""A topic filter that is never subscribed to."""


class ComparedConnection:
    """A connection in a separate thread that isn't restored automatically.

    Args:
        options: The settings of the connection that it is compared with.
        version: Returns the MQTT version of that connection.
    """

    def __init__(self, options: LinkOptions, version: Callable[[], Version]) -> None:
        self._options = replace(options, clean_session=True, will=None, echo=None, births=None)
        self._version = version
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._stopping = threading.Event()
        self._started = 0
        self._answered = False
        self._refused = ""

    @property
    def answered(self) -> int:
        """The number of the connection if it has answered since `ask()`; else 0."""
        return self._started if self._answered else 0

    def ask(self) -> None:
        """Ask the connection for a sign of life, or start one if there is none."""
        self._answered = False
        client = self._client
        if client is not None:
            client.unsubscribe(NOBODYS)
        elif self._thread is None or not self._thread.is_alive():
            self._started += 1
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="edgewarden-comparison", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the connection; returns without waiting for it."""
        self._stopping.set()
        self._answered = False

    def _run(self) -> None:
        version = self._version()
        name = f"{self._options.client_id}-{secrets.token_hex(4)}"
        try:
            client = make_client(replace(self._options, client_id=name), version, Abilities())
            client.on_connect = self._on_connect
            client.on_unsubscribe = self._on_unsubscribe
            client.connect(
                self._options.host, self._options.port, self._options.keepalive_s, **session(client, self._options)
            )
            code = MQTTErrorCode.MQTT_ERR_SUCCESS
            while code == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._stopping.is_set():
                code = client.loop(STEP_S)
        except (OSError, ValueError) as error:
            log.debug("comparison_failed error=%r", error)
            return
        finally:
            self._client, self._answered = None, False
        client.disconnect()
        client.loop(STEP_S)

    def _on_connect(self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _p: Any) -> None:
        if not reason.is_failure:
            self._client = client
            self._answered = True
        elif self._refused != (why := why_refused(reason)):
            self._refused = why
            log.info("comparison_refused reason=%r: whether another client uses our id can't be determined", why)

    def _on_unsubscribe(self, *_arguments: Any) -> None:
        self._answered = True
