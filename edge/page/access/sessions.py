"""Sessions: identifies users by a signed cookie, and limits login attempts.

A cookie contains its role and expiry time, signed with a key derived from the role's password hash. No session state is
stored, a restart of the service ends no session, and changing a password ends all sessions of its role.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping

from edge.page.access.passwords import ROLES, Hash, Role

COOKIE = "edgewarden-session"
LASTS_S = 30 * 86_400

TRIES, PER_S = 5, 60.0
"""Maximum number of wrong passwords from one address, and the period in seconds."""

TRIES_OF_ALL = 30
"""Maximum number of wrong passwords from all addresses together."""

MOST_ADDRESSES = 256


class Sessions:
    """Identifies the role of a request.

    Args:
        current: Returns the hashes of the roles' passwords as they are now; None if every visitor is the operator.
    """

    def __init__(self, current: Callable[[], Mapping[Role, Hash]] | None) -> None:
        self._current = current

    @property
    def passwords(self) -> Mapping[Role, Hash]:
        """Hashes of the roles' passwords; empty if every visitor is the operator."""
        return {} if self._current is None else self._current()

    def role_of(self, cookie: str | None, now: float) -> Role | None:
        """The role proved by a cookie; None if it is invalid.

        Args:
            cookie: Value of the cookie, or None.
            now: Seconds since the epoch.
        """
        passwords = self.passwords
        if not passwords:
            return "operator"
        claim, _, signature = (cookie or "").rpartition(".")
        name, _, rest = claim.partition(".")
        role = next((each for each in ROLES if each == name), None)
        known = passwords.get(role) if role is not None else None
        until = rest.partition(".")[0]
        if (
            role is None
            or known is None
            or not (len(until) < 16 and until.isascii() and until.isdecimal() and int(until) > now)
        ):
            return None
        return role if hmac.compare_digest(signature, _signature(known, claim)) else None

    def cookie(self, role: Role, now: float) -> str:
        """Create a cookie for a role."""
        claim = f"{role}.{int(now + LASTS_S)}.{secrets.token_urlsafe(12)}"
        return f"{claim}.{_signature(self.passwords[role], claim)}"

    def role_for(self, password: str) -> Role | None:
        """The role that a password belongs to; takes a tenth of a second per role."""
        passwords = self.passwords
        return next((role for role in ROLES if role in passwords and passwords[role].fits(password)), None)


def _signature(known: Hash, claim: str) -> str:
    key = hashlib.sha256(b"edgewarden session" + known.salt + known.digest).digest()
    return base64.urlsafe_b64encode(hmac.digest(key, claim.encode(), "sha256")).decode().rstrip("=")


class Attempts:
    """Counts wrong passwords by address and in total, in bounded memory."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[str, list[float]] = OrderedDict()
        self._all: list[float] = []

    def wait_s(self, address: str, now: float) -> float:
        """Seconds that an address has to wait before its next attempt; `now` is monotonic."""
        its_own = self._recent(self._by_address.get(address, []), now)
        self._all = self._recent(self._all, now)
        waits = [0.0]
        if len(its_own) >= TRIES:
            waits.append(its_own[-TRIES] + PER_S - now)
        if len(self._all) >= TRIES_OF_ALL:
            waits.append(self._all[-TRIES_OF_ALL] + PER_S - now)
        return max(waits)

    def note(self, address: str, now: float) -> None:
        """Count an attempt; undone by `forgive()` if the password was right."""
        its_own = self._recent(self._by_address.pop(address, []), now)
        self._by_address[address] = [*its_own, now]
        self._all.append(now)
        while len(self._by_address) > MOST_ADDRESSES:
            self._by_address.popitem(last=False)

    def forgive(self, address: str) -> None:
        """Forget the attempts of an address that gave the right password."""
        self._by_address.pop(address, None)

    @staticmethod
    def _recent(times: list[float], now: float) -> list[float]:
        return [each for each in times if now - each < PER_S]
