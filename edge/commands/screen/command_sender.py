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
        show: Called with the result as text, in any thread.
    """

    def __init__(self, configuration: Configuration | None, show: Callable[[str], None]) -> None:
        self._configuration, self._show = configuration, show
        self._thread: threading.Thread | None = None

    def say(self, command: str, **fields: Any) -> None:
        """Send a command; its result is reported later."""
        configuration = self._configuration
        if configuration is None:
            self._show("There is no configuration here that names the broker; give --config.")
            return
        if not configuration.commands.enabled:
            self._show("commands.enabled is false: the service accepts no commands.")
            return
        if self._thread is not None and self._thread.is_alive():
            self._show("The service hasn't answered the last command yet.")
            return
        try:
            fields = {**fields, "until": moment_of(fields["until"])} if "until" in fields else fields
        except MomentError as error:
            self._show(str(error))
            return
        self._show(f"{SAYING[command]} ...")
        self._thread = threading.Thread(target=self._say, args=(configuration, command, fields), daemon=True)
        self._thread.start()

    def _say(self, configuration: Configuration, command: str, fields: dict[str, Any]) -> None:
        payload = {"id": uuid.uuid4().hex, "by": getuser(), "comment": "", **fields}
        try:
            found = exchange(configuration, command, payload, time.monotonic() + TIMEOUT_S)
        except (BrokerQueryError, PasswordError) as error:
            self._show(f"It wasn't said: {error}")
            return
        if found is None:
            self._show(f"No answer within {TIMEOUT_S:g} s; the service may still carry it out.")
            return
        answer = json.loads(found)
        self._show(answer["message"] if answer["ok"] else f"Refused: {answer['message']} ({answer['reason']})")
