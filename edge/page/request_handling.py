"""Answering: shared code of the request handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from edge.page.loop.handover import BusyError
from edge.shell.store import StoreError

Handler = Callable[[Request], Awaitable[Response]]

LONGEST_TEXT = 512
"""Maximum length in characters of a search text or a sensor's name."""


class BadRequestError(Exception):
    """A request can't be answered; the message gives the reason."""


def json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def problem(status: int, words: str) -> Response:
    """A response that describes a problem in words."""
    return json({"error": words}, status)


def explained(handler: Handler) -> Handler:
    """Convert expected errors to responses that describe them."""

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
        except ClientDisconnect:
            return problem(400, "The request's body ended before its length.")  # for no one: the client is gone

    return with_words


def text_of(request: Request, name: str, most: int = LONGEST_TEXT) -> str:
    """A text parameter of the query; empty if missing.

    Raises:
        BadRequestError: It is too long.
    """
    found = request.query_params.get(name, "")
    if len(found) > most:
        raise BadRequestError(f"{name} has more than {most} characters")
    return found


def number_of(request: Request, name: str, default: float, least: float, most: float) -> float:
    """A numeric parameter of the query.

    Raises:
        BadRequestError: It isn't a number, or is out of range.
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
