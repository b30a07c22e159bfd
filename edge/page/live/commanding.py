"""Commanding: passes commands from the page's buttons to the service, like commands over MQTT."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.core.operator.commands import LARGEST_PAYLOAD, WORDS
from edge.page.loop.handover import Handover
from edge.page.request_handling import BadRequestError, json

BY = "page"
"""The user name in commands if the page has none."""


class PostedCommand(msgspec.Struct, forbid_unknown_fields=True):
    """A command as posted by the page.

    Attributes:
        command: Name of the command.
        fields: Its payload, the JSON that the command's topic accepts.
    """

    command: Annotated[str, msgspec.Meta(max_length=64)]
    fields: dict[str, Any] = msgspec.field(name="said")


class Commanding:
    """Passes commands to the service.

    Args:
        handover: Receives the commands.
        on_change: Called when a command was carried out.
    """

    def __init__(self, handover: Handover, on_change: Callable[[], None]) -> None:
        self._handover, self._on_change = handover, on_change

    async def say(self, request: Request) -> Response:
        """Carry out a command and return the result: the same JSON as on the topic `result`."""
        try:
            posted = msgspec.json.decode(await request.body(), type=PostedCommand)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise BadRequestError(f"The command can't be read: {str(error)[:200]}") from None
        if posted.command not in WORDS:
            raise BadRequestError(f"There is no such command; there are {', '.join(WORDS)}.")
        identity = posted.fields.get("id") or secrets.token_urlsafe(16)
        if not isinstance(identity, str):
            raise BadRequestError("The command's id must be a text.")
        payload = msgspec.json.encode({"by": BY, **posted.fields, "id": identity})
        if len(payload) > LARGEST_PAYLOAD:
            raise BadRequestError(f"The command has more than {LARGEST_PAYLOAD} bytes.")
        answer = await self._handover.say(posted.command, identity, payload)
        self._on_change()
        return json(answer, 200 if answer["ok"] else 409)
