"""The password of a connection, read when it is needed and kept nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from config.transport import Connection

OF_THE_UNIT = "/run/credentials/edgewarden.service"
"""Where the running service's credentials are, for root, who tells it something over its broker."""


class PasswordError(Exception):
    """A password can't be had; says where it was looked for, never what it is."""


def password_of(connection: Connection) -> str | None:
    """The password of a connection, or None if it has none.

    Raises:
        PasswordError: Its file or credential can't be read, or its environment variable isn't set.
    """
    if connection.password_env is not None:
        password = os.environ.get(connection.password_env)
        if password is None:
            raise PasswordError(f"the environment variable {connection.password_env} isn't set")
        return password
    if connection.password_credential is not None:
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY") or OF_THE_UNIT)
        try:
            return _read(folder / connection.password_credential)
        except PasswordError as error:
            raise PasswordError(
                f"the credential {connection.password_credential} can't be had ({error}); the service manager hands it"
                f" to the service if there is /etc/credstore/{connection.password_credential}, see LoadCredential= in"
                " systemd.exec(5)"
            ) from None
    return None if connection.password_file is None else _read(connection.password_file)


def _read(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise PasswordError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PasswordError(f"{path}: is not UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")
