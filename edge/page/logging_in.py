"""Logging in: a password for a cookie."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.page.answering import BadRequestError, json, problem
from edge.page.passwords import LONGEST
from edge.page.sessions import COOKIE, LASTS_S, Attempts, Sessions

log = logging.getLogger("edgewarden.page")


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """What is posted."""

    password: Annotated[str, msgspec.Meta(max_length=LONGEST)]


class LoggingIn:
    """Checks passwords, one after the other: each takes tens of megabytes for a moment.

    Args:
        sessions: Knows them.
        clock: What time it is, seconds since the epoch, UTC.
        monotonic: Seconds that never step.
    """

    def __init__(
        self, sessions: Sessions, clock: Callable[[], float], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions, self._clock, self._monotonic = sessions, clock, monotonic
        self._attempts = Attempts()
        self._one_at_a_time = asyncio.Lock()

    async def log_in(self, request: Request) -> Response:
        """Give a cookie for the right password."""
        address = request.client.host if request.client is not None else ""
        try:
            given = msgspec.json.decode(await request.body(), type=Given)
        except (msgspec.DecodeError, ValueError) as error:
            raise BadRequestError(f"The password can't be read: {str(error)[:100]}") from None
        wait_s = self._attempts.wait_s(address, self._monotonic())
        if wait_s > 0:
            log.warning("log_in_refused address=%r reason='too many tries'", address)
            words = f"Too many tries. Wait {wait_s:.0f} seconds."
            return json({"error": words}, 429, {"retry-after": str(round(wait_s + 0.5))})
        self._attempts.note(address, self._monotonic())
        async with self._one_at_a_time:
            role = await asyncio.to_thread(self._sessions.role_for, given.password)
        if role is None:
            log.warning("log_in_refused address=%r reason='wrong password'", address)
            return problem(403, "That is not the password.")
        self._attempts.forgive(address)
        log.info("logged_in role=%s address=%r", role, address)
        answer = json({"role": role})
        _set_cookie(request, answer, self._sessions.cookie(role, self._clock()), LASTS_S)
        return answer

    async def log_out(self, request: Request) -> Response:
        """Take the cookie back."""
        answer = json({"role": None})
        _set_cookie(request, answer, "", 0)
        return answer


def _set_cookie(request: Request, answer: Response, value: str, lasts_s: int) -> None:
    is_encrypted = request.headers.get("origin", "").startswith("https:")
    answer.set_cookie(COOKIE, value, max_age=lasts_s, httponly=True, samesite="strict", secure=is_encrypted)
