"""Login: exchanges a password for a cookie."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.page.access.passwords import LONGEST, ROLES, Role
from edge.page.access.sessions import COOKIE, LASTS_S, Attempts, Sessions
from edge.page.request_handling import BadRequestError, json, problem
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.page")


class LogInForm(msgspec.Struct, forbid_unknown_fields=True):
    """The posted form."""

    password: Annotated[str, msgspec.Meta(max_length=LONGEST)]


class TooManyTriesError(Exception):
    """Too many attempts; the message says how long to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Too many tries. Wait {wait_s:.0f} seconds.")
        self.wait_s = wait_s


class LoggingIn:
    """Checks passwords one at a time, because each check takes tens of megabytes.

    Args:
        sessions: The sessions and password hashes.
        clock: The current time, in seconds since the epoch, UTC.
        monotonic: Seconds that never step.
    """

    def __init__(
        self, sessions: Sessions, clock: Callable[[], float], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions, self._clock, self._monotonic = sessions, clock, monotonic
        self._attempts = Attempts()
        self._one_at_a_time = asyncio.Lock()
        self._known: dict[Role, bytes] = {}
        self._secret = secrets.token_bytes(32)

    async def log_in(self, request: Request) -> Response:
        """Return a cookie for the right password."""
        address = request.client.host if request.client is not None else ""
        try:
            given = msgspec.json.decode(await request.body(), type=LogInForm)
        except (msgspec.DecodeError, ValueError) as error:
            raise BadRequestError(f"The password can't be read: {str(error)[:100]}") from None
        try:
            role = await self._checked(address, given.password)
        except TooManyTriesError as error:
            return json({"error": str(error)}, 429, {"retry-after": str(round(error.wait_s + 0.5))})
        if role is None:
            return problem(403, "That is not the password.")
        log.info("logged_in role=%s address=%r", role, address)
        answer = json({"role": role})
        _set_cookie(request, answer, self._sessions.cookie(role, self._clock()), LASTS_S)
        return answer

    async def basic_role(self, request: Request) -> Role | None:
        """The role authenticated by HTTP Basic (RFC 7617), as sent by metrics collectors; None if there is none.

        The digest of each role's last correct password is cached, so that not every scrape takes that long.
        """
        scheme, _, content = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, password = base64.b64decode(content, validate=True).decode().partition(":")
        except ValueError:
            return None
        role = next((each for each in ROLES if each == name), None)
        if scheme.lower() != "basic" or role is None or len(password) > LONGEST:
            return None
        of_role = self._sessions.passwords.get(role)
        stored = b"" if of_role is None else of_role.salt + of_role.digest
        digest = hashlib.sha256(self._secret + stored + password.encode()).digest()
        if hmac.compare_digest(self._known.get(role, b""), digest):
            return role
        address = request.client.host if request.client is not None else ""
        try:
            found = await self._checked(address, password)
        except TooManyTriesError:
            return None
        if found != role:
            return None
        self._known[role] = digest
        return role

    async def _checked(self, address: str, password: str) -> Role | None:
        """The role whose password this is, or None.

        Raises:
            TooManyTriesError: The password isn't checked.
        """
        wait_s = self._attempts.wait_s(address, self._monotonic())
        if wait_s > 0:
            log.warning("log_in_refused address=%r reason='too many attempts'", address)
            raise TooManyTriesError(wait_s)
        self._attempts.note(address, self._monotonic())
        async with self._one_at_a_time:
            role = await asyncio.to_thread(self._sessions.role_for, password)
        if role is None:
            log.warning("log_in_refused address=%r reason='wrong password'", address, extra=BOUNDED)  # by `Attempts`
        else:
            self._attempts.forgive(address)
        return role

    async def log_out(self, request: Request) -> Response:
        """Delete the cookie."""
        answer = json({"role": None})
        _set_cookie(request, answer, "", 0)
        return answer


def cookie_name(request: Request) -> str:
    """The cookie's name at the requested address.

    Browsers give a cookie to all ports of a host, so that the pages of two gateways, each at the end of a tunnel, would
    log each other out.
    """
    port = request.headers.get("host", "").rpartition(":")[2]
    return f"{COOKIE}-{port}" if port.isascii() and port.isdecimal() else COOKIE


def _set_cookie(request: Request, answer: Response, value: str, lasts_s: int) -> None:
    is_encrypted = request.headers.get("origin", "").startswith("https:")
    answer.set_cookie(
        cookie_name(request), value, max_age=lasts_s, httponly=True, samesite="strict", secure=is_encrypted
    )
