"""Sends commands to the service one at a time, in its own thread, so that the screen stays responsive."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from getpass import getuser
from typing import TYPE_CHECKING, Any

from config.tables.passwords import PasswordError
from edge.commands.support.service.broker_queries import BrokerQueryError
from edge.commands.support.service.exchange import MomentError, exchange, moment_of

if TYPE_CHECKING:
    from config.schema import Configuration

TIMEOUT_S = 10.0
SAYING = {"acknowledge": "Acknowledging", "shelve": "Muting", "unshelve": "Unmuting", "normal": "Taking as normal"}


class CommandSender:
    """Sends the user's commands.

    Args:
        configuration: Contains the broker; None if not available.
        told: Called with the result as text, in any thread.
    """

    def __init__(self, configuration: Configuration | None, told: Callable[[str], None]) -> None:
        self._configuration, self._told = configuration, told
        self._thread: threading.Thread | None = None

    def say(self, command: str, **said: Any) -> None:
        """Send a command; its result is reported later."""
        configuration = self._configuration
        if configuration is None:
            self._told("There is no configuration here that names the broker; give --config.")
            return
        if not configuration.commands.enabled:
            self._told("commands.enabled is false: the service accepts no commands.")
            return
        if self._thread is not None and self._thread.is_alive():
            self._told("The service hasn't answered the last command yet.")
            return
        try:
            said = {**said, "until": moment_of(said["until"])} if "until" in said else said
        except MomentError as error:
            self._told(str(error))
            return
        self._told(f"{SAYING[command]} ...")
        self._thread = threading.Thread(target=self._say, args=(configuration, command, said), daemon=True)
        self._thread.start()

    def _say(self, configuration: Configuration, command: str, said: dict[str, Any]) -> None:
        payload = {"id": uuid.uuid4().hex, "by": getuser(), "comment": "", **said}
        try:
            found = exchange(configuration, command, payload, time.monotonic() + TIMEOUT_S)
        except (BrokerQueryError, PasswordError) as error:
            self._told(f"It wasn't said: {error}")
            return
        if found is None:
            self._told(f"No answer within {TIMEOUT_S:g} s; the service may still carry it out.")
            return
        answer = json.loads(found)
        self._told(answer["message"] if answer["ok"] else f"Refused: {answer['message']} ({answer['reason']})")
