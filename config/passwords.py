"""The password of a connection, read when it is needed and kept nowhere else."""

from __future__ import annotations

import os

from config.transport import Connection


class PasswordError(Exception):
    """A password can't be had; says where it was looked for, never what it is."""


def password_of(connection: Connection) -> str | None:
    """The password of a connection, or None if it has none.

    Raises:
        PasswordError: Its file can't be read, or its environment variable isn't set.
    """
    if connection.password_env is not None:
        password = os.environ.get(connection.password_env)
        if password is None:
            raise PasswordError(f"the environment variable {connection.password_env} isn't set")
        return password
    if connection.password_file is None:
        return None
    try:
        text = connection.password_file.read_text("utf-8")
    except OSError as error:
        raise PasswordError(f"{connection.password_file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PasswordError(f"{connection.password_file}: is not UTF-8 text") from error
    return text.removesuffix("\n").removesuffix("\r")
