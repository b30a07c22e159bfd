"""Callbacks for paho whose exceptions aren't lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("edgewarden.link")


def guarded(callback: Callable[..., Any], failed: Callable[[], None]) -> Callable[..., Any]:
    """Wrap a callback so that it logs exceptions, then calls `failed` and returns None."""

    def call(*arguments: Any) -> Any:
        try:
            return callback(*arguments)
        except Exception:  # this would end paho's loop; the owner must be notified of any exception
            log.exception("callback_failed callback=%s", callback.__name__)
            failed()
            return None

    return call
