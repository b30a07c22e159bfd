from __future__ import annotations

from pathlib import Path

import pytest

from config.tables.passwords import PasswordError
from edge.page.access import passwords as module
from edge.page.access.passwords import PasswordFile, hashed, read_passwords, write_password
from edge.page.access.sessions import LASTS_S, MOST_ADDRESSES, PER_S, TRIES, TRIES_OF_ALL, Attempts, Sessions

NOW = 1_700_000_000.0
PASSWORD, OTHER = "correct horse", "battery staple"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COST", 2**14)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions({"operator": hashed(PASSWORD), "viewer": hashed(OTHER)}.copy)


def test_a_cookie_proves_the_role_of_its_password_until_it_expires(sessions: Sessions) -> None:
    for password, role in ((PASSWORD, "operator"), (OTHER, "viewer")):
        found = sessions.role_for(password)
        assert found == role
        cookie = sessions.cookie(found, NOW)
        assert sessions.role_of(cookie, NOW + LASTS_S - 1) == role
        assert sessions.role_of(cookie, NOW + LASTS_S + 1) is None
    assert sessions.role_for("wrong") is None


def test_a_forged_cookie_proves_nothing(sessions: Sessions) -> None:
    cookie = sessions.cookie("viewer", NOW)
    for forged in (
        None,
        "",
        "operator",
        cookie[:-1],
        cookie.replace("viewer", "operator"),
        f"operator.{'9' * 5000}.x.y",
    ):
        assert sessions.role_of(forged, NOW) is None


def test_another_password_ends_the_sessions_of_its_role(sessions: Sessions) -> None:
    cookie = sessions.cookie("operator", NOW)
    again = Sessions({**sessions.passwords, "operator": hashed("something new")}.copy)
    assert again.role_of(cookie, NOW) is None
    assert again.role_of(sessions.cookie("viewer", NOW), NOW) == "viewer"


def test_without_passwords_every_visitor_is_the_operator() -> None:
    assert Sessions(None).role_of(None, NOW) == "operator"


def test_an_address_waits_after_some_wrong_passwords_and_others_do_not() -> None:
    attempts = Attempts()
    for second in range(TRIES):
        assert attempts.wait_s("a", second) == 0
        attempts.note("a", second)
    assert attempts.wait_s("a", TRIES) == PER_S - TRIES
    assert attempts.wait_s("b", TRIES) == 0
    assert attempts.wait_s("a", PER_S) == 0


def test_all_addresses_together_wait_after_many_and_few_are_remembered() -> None:
    attempts = Attempts()
    for number in range(TRIES_OF_ALL):
        attempts.note(f"a{number}", 0.0)
    assert attempts.wait_s("fresh", 1.0) == PER_S - 1
    for number in range(2 * MOST_ADDRESSES):
        attempts.note(f"b{number}", 100.0)
    assert len(attempts._by_address) == MOST_ADDRESSES


def test_the_file_keeps_the_other_role_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    write_password(path, "operator", PASSWORD)
    write_password(path, "viewer", OTHER)
    write_password(path, "operator", "third one")
    found = read_passwords(path)
    assert (found["operator"].fits("third one"), found["viewer"].fits(OTHER)) == (True, True)
    assert not found["operator"].fits(PASSWORD)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "third one" not in path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "secret",
        "admin:scrypt:16384:8:1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA",
        "operator:scrypt:1024:8:1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA",
        "operator:scrypt:1073741824:8:1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA",
        "operator:scrypt:16384:8:1:??:AAAA",
    ],
)
def test_a_foreign_file_is_refused_without_revealing_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "passwords"
    path.write_text(text)
    with pytest.raises(PasswordError) as raised:
        read_passwords(path)
    assert str(path) in str(raised.value)
    assert "AAAA" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_changed_password_applies_immediately_and_ends_the_sessions_of_its_role(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    write_password(path, "operator", PASSWORD)
    write_password(path, "viewer", OTHER)
    sessions = Sessions(PasswordFile(path).current)
    operator, viewer = sessions.cookie("operator", NOW), sessions.cookie("viewer", NOW)
    write_password(path, "operator", "third one")
    assert (sessions.role_of(operator, NOW), sessions.role_of(viewer, NOW)) == (None, "viewer")
    assert (sessions.role_for("third one"), sessions.role_for(PASSWORD)) == ("operator", None)


@pytest.mark.parametrize("content", [None, "", "nonsense"])
def test_a_file_that_became_unreadable_opens_the_page_to_nobody(
    tmp_path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "passwords"
    write_password(path, "operator", PASSWORD)
    sessions = Sessions(PasswordFile(path).current)
    cookie = sessions.cookie("operator", NOW)
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    assert sessions.role_of(None, NOW) is None
    assert sessions.role_of(cookie, NOW) == "operator"
    assert [each.message.partition(" ")[0] for each in caplog.records] == ["passwords_kept"]
