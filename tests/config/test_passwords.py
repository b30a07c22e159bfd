"""Passwords from a credential of the service manager."""

from __future__ import annotations

from pathlib import Path

import pytest
from configurations import INPUT, faults_of

from config.loading import parse
from config.tables.passwords import PasswordError, password_of
from config.tables.transport import Connection

TEXT = f'{INPUT}[broker]\nusername = "me"\npassword_credential = "edgewarden.broker"\n'


def connection() -> Connection:
    return parse(TEXT).configuration.inbound


def test_a_credential_is_read_from_the_folder_named_by_the_service_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "edgewarden.broker").write_text("s3cret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert password_of(connection()) == "s3cret"


def test_a_missing_credential_explains_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(PasswordError, match="if there is /etc/credstore/edgewarden.broker"):
        password_of(connection())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('password_credential = "a"', "needs username too"),
        ('username = "me"\npassword_env = "A"\npassword_credential = "a"', "must not be given where password_env is"),
        ('username = "me"\npassword_credential = "../a"', "must be the name of a credential"),
    ],
)
def test_an_invalid_credential_is_refused(lines: str, message: str) -> None:
    fault = faults_of(f"{INPUT}[broker]\n{lines}\n")[0]
    assert fault.key == "broker.password_credential"
    assert message in fault.message
