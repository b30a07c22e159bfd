"""Passwords of the page: a file of scrypt hashes by role.

One line per role, `operator` or `viewer`, as `ROLE:scrypt:N:r:p:SALT:HASH` with salt and hash in base64. Empty lines
and those that begin with `#` are ignored.

Source: RFC 7914; N = 2^15, r = 8, p = 1 is what OWASP's Password Storage Cheat Sheet has for 32 MiB.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from config.tables.passwords import PasswordError

log = logging.getLogger("edgewarden.page")

Role = Literal["operator", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)

COST, BLOCK, PARALLEL = 2**15, 8, 1
SALT_BYTES, HASH_BYTES = 16, 32
MOST_COST = 2**17
"""Maximum N accepted from a file; a higher one would make each login take hundreds of megabytes."""

LONGEST, SHORTEST = 1024, 8
"""Maximum and minimum length of a password in characters."""

HEADER = "# Who may open Edgewarden's page. Written by `edgewarden page-password`.\n"


class Hash(NamedTuple):
    """A password's hash with its parameters."""

    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    def fits(self, password: str) -> bool:
        """Whether a password matches the hash; takes about a tenth of a second."""
        made = _scrypt(password, self.cost, self.block, self.parallel, self.salt, len(self.digest))
        return hmac.compare_digest(made, self.digest)

    def line(self, role: Role) -> str:
        """The line of the file."""
        salt, digest = (base64.b64encode(each).decode() for each in (self.salt, self.digest))
        return f"{role}:scrypt:{self.cost}:{self.block}:{self.parallel}:{salt}:{digest}"


def hashed(password: str) -> Hash:
    """The hash of a password, with a random salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Hash(COST, BLOCK, PARALLEL, salt, _scrypt(password, COST, BLOCK, PARALLEL, salt, HASH_BYTES))


def read_passwords(path: Path) -> dict[Role, Hash]:
    """Read the hashes of a file, by role.

    Raises:
        PasswordError: The file can't be read, a line is malformed, or there are no passwords.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    found: dict[Role, Hash] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            role, known = _parsed(line)
        except (ValueError, binascii.Error):
            raise PasswordError(f"{path}: line {number} isn't what `edgewarden page-password` writes") from None
        found[role] = known
    if not found:
        raise PasswordError(f"{path}: holds no password; `edgewarden page-password` writes one")
    return found


class PasswordFile:
    """The passwords of a file, as they are now.

    A change takes effect at once: its reason may be that a password has become known to others.

    Args:
        path: Path of the file.

    Raises:
        PasswordError: The file can't be read, a line is malformed, or there are no passwords.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = self._stamp_now()
        self._known = read_passwords(path)

    def current(self) -> dict[Role, Hash]:
        """The hashes by role, never empty; those known before if the file can't be read any more."""
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._known = read_passwords(self._path)
            except PasswordError as error:
                log.warning("passwords_kept reason=%r", str(error))
            else:
                log.info("passwords_read path=%r", str(self._path))
        return self._known

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _parsed(line: str) -> tuple[Role, Hash]:
    name, method, cost, block, parallel, salt, digest = line.strip().split(":")
    role = next((each for each in ROLES if each == name), None)
    known = Hash(
        int(cost), int(block), int(parallel), *(base64.b64decode(each, validate=True) for each in (salt, digest))
    )
    is_sound = 2**14 <= known.cost <= MOST_COST and known.cost & (known.cost - 1) == 0
    is_sound = is_sound and 1 <= known.block <= BLOCK and 1 <= known.parallel <= 4
    if role is None or method != "scrypt" or not is_sound or len(known.salt) < 8 or len(known.digest) < 16:
        raise ValueError(line)
    return role, known


def write_password(path: Path, role: Role, password: str) -> None:
    """Write a role's password to a file readable only by its owner; other roles are kept.

    Raises:
        PasswordError: The file can't be written, or isn't a password file.
    """
    known = read_passwords(path) if path.exists() and path.stat().st_size else {}
    known[role] = hashed(password)
    text = HEADER + "".join(f"{known[each].line(each)}\n" for each in ROLES if each in known)
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise PasswordError(f"{path}: {error.strerror or error}") from error


def _scrypt(password: str, cost: int, block: int, parallel: int, salt: bytes, length: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=cost, r=block, p=parallel, maxmem=160 * cost * block, dklen=length)
