from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import parse
from config.problems import ConfigurationError
from config.tables import page as module
from config.tables.page import is_local

INPUT = '[[input]]\ntopic = "#"\n'


def page(text: str, folder: Path | None = None) -> module.Page | None:
    return parse(f"{INPUT}[page]\n{text}", folder=folder).configuration.page


def test_an_empty_table_enables_the_page_for_this_machine_only() -> None:
    made = page("")
    assert made is not None
    assert (made.bind, made.port, made.password_file) == ("127.0.0.1", 8790, None)
    assert parse(INPUT).configuration.page is None


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.168.1.5"])  # noqa: S104 - nothing is bound
def test_an_address_reachable_by_others_requires_a_password(bind: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"page\.password_file: must be given where bind is"):
        page(f'bind = "{bind}"')
    (tmp_path / "pw").touch()
    assert page(f'bind = "{bind}"\npassword_file = "pw"', tmp_path) is not None


@pytest.mark.parametrize(
    ("address", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)]
)
def test_only_loopback_addresses_are_local(address: str, local: bool) -> None:
    assert is_local(address) is local


@pytest.mark.parametrize(
    "text", ['bind = "eth0"', 'hosts = ["a/b"]', 'hosts = ["a:80"]', "port = 65536", 'password_file = "none"']
)
def test_impossible_values_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"page\."):
        page(text, tmp_path)


def test_without_the_extra_the_table_is_refused_with_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(ConfigurationError, match=r"page: needs the extra page: pip install 'edgewarden\[page\]'"):
        page("")
