"""Exchange: sends a command to the service over its broker, and waits for the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from config.schema import Configuration


class MomentError(ValueError):
    """A text isn't a valid time."""


def moment_of(text: str) -> str:
    """Convert a time to the service's format; a time of day is its next occurrence.

    Raises:
        MomentError: It isn't a valid time.
    """
    clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if clock:
        now = datetime.now().astimezone()
        moment = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return (moment if moment > now else moment + timedelta(days=1)).isoformat()
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        if re.fullmatch(r"\d+(\.\d+)?(s|m|min|h|d|w)", text):
            return text
    raise MomentError(f"{text!r} isn't a time: write 06:00, 2026-11-23T06:00:00+01:00, or 2h")


def exchange(configuration: Configuration, command: str, fields: Mapping[str, Any], until: float) -> bytes | None:
    """Send a command and wait for its answer.

    Args:
        configuration: Contains the broker and topics.
        command: Name of the command.
        fields: Fields of the command; `id` identifies the answer.
        until: Deadline, by the monotonic clock.

    Returns:
        The answer, or None if there was none in time.

    Raises:
        BrokerQueryError: The broker is unreachable, or refuses.
        PasswordError: A password can't be obtained.
    """
    from edge.commands.support.service.broker_queries import connected, send, wait_for  # noqa: PLC0415 - loaded when something is said
    from edge.core.model.notation.topics import Topics  # noqa: PLC0415

    topics = Topics(configuration.gateway.topic_base)
    with connected(configuration.inbound, configuration, topics.result, until) as link:
        send(link, topics.command(command), json.dumps(fields).encode(), until)
        found = wait_for(link, lambda each: _id_of(each.payload) == fields["id"], until)
    return None if found is None else found.payload


def _id_of(payload: bytes) -> object:
    try:
        answer = json.loads(payload)
    except ValueError:
        return None
    return answer.get("id") if isinstance(answer, dict) else None
