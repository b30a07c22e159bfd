"""Answering: what the handlers of requests have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.page.loop.handover import BusyError
from edge.shell.store import StoreError

Handler = Callable[[Request], Awaitable[Response]]

LONGEST_TEXT = 512
"""Characters of a search text, or of a sensor's name."""


class BadRequestError(Exception):
    """A request can't be answered; the message says why."""


def json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def problem(status: int, words: str) -> Response:
    """An answer that says what is wrong, for a person."""
    return json({"error": words}, status)


def explained(handler: Handler) -> Handler:
    """Turn expected errors into an answer that describes them."""

    @wraps(handler)
    async def with_words(request: Request) -> Response:
        try:
            return await handler(request)
        except BadRequestError as error:
            return problem(400, str(error))
        except BusyError as error:
            return problem(503, str(error))
        except StoreError as error:
            return problem(503, f"The store can't be read: {error}")

    return with_words


def text_of(request: Request, name: str, most: int = LONGEST_TEXT) -> str:
    """A text of the query; empty if it isn't given.

    Raises:
        BadRequestError: It is too long.
    """
    found = request.query_params.get(name, "")
    if len(found) > most:
        raise BadRequestError(f"{name} has more than {most} characters")
    return found


def number_of(request: Request, name: str, default: float, least: float, most: float) -> float:
    """A number of the query.

    Raises:
        BadRequestError: It isn't one, or is out of range.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        found = float(text)
    except ValueError:
        found = least - 1
    if not least <= found <= most:
        raise BadRequestError(f"{name} must be a number from {least:g} to {most:g}")
    return found
