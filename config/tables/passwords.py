"""Passwords and other secrets of connections and sinks, read when needed and stored nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from config.tables.sinks import SinkTable
from config.tables.transport import Credentials

OF_THE_UNIT = "/run/credentials/edgewarden.service"
"""The directory of the running service's credentials, readable by root, for `edgewarden tell`."""


class PasswordError(Exception):
    """A password can't be obtained; the message names its source, never the password."""


def password_of(table: Credentials) -> str | None:
    """The password of a connection or a sink, or None if it has none.

    Raises:
        PasswordError: Its file or credential can't be read, or its environment variable isn't set.
    """
    return _secret(table.password_file, table.password_env, table.password_credential)


def token_of(sink: SinkTable) -> str | None:
    """The bearer token of a sink, or None if it has none.

    Raises:
        PasswordError: See `password_of()`.
    """
    return _secret(sink.token_file, sink.token_env, sink.token_credential)


def secret_of(sink: SinkTable) -> str | None:
    """The secret that a sink signs events with, or None if it has none.

    Raises:
        PasswordError: See `password_of()`.
    """
    return _secret(sink.secret_file, sink.secret_env, sink.secret_credential)


def address_of(sink: SinkTable) -> str | None:
    """The address for a sink's notifications, or None if it has none.

    Raises:
        PasswordError: See `password_of()`.
    """
    return _secret(sink.address_file, sink.address_env, sink.address_credential)


def _secret(file: Path | None, variable: str | None, credential: str | None) -> str | None:
    if variable is not None:
        secret = os.environ.get(variable)
        if secret is None:
            raise PasswordError(f"the environment variable {variable} isn't set")
        return secret
    if credential is not None:
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY") or OF_THE_UNIT)
        try:
            return _read(folder / credential)
        except PasswordError as error:
            raise PasswordError(
                f"the credential {credential} can't be had ({error}); the service manager hands it to the service if"
                f" there is /etc/credstore/{credential}, see LoadCredential= in systemd.exec(5)"
            ) from None
    return None if file is None else _read(file)


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise PasswordError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PasswordError(f"{path}: is not UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")
