from __future__ import annotations

import pytest

from edge.shell.link.versions.version_choice import CLOSED_IN_A_ROW, FALLBACK_S, VersionChoice


class Now:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def choice(now: Now) -> VersionChoice:
    return VersionChoice("auto", now)


def test_auto_tries_5_first_and_then_3_1_1(choice: VersionChoice) -> None:
    assert choice.to_try() == ("5", "3.1.1")


@pytest.mark.parametrize("wanted", ["3.1.1", "5"])
def test_a_configured_version_is_the_only_one_whatever_the_broker_does(wanted: str) -> None:
    choice = VersionChoice(wanted)  # type: ignore[arg-type]
    for outcome in ("closed", "unsupported", "accepted"):
        choice.note(wanted, outcome)  # type: ignore[arg-type]
        assert choice.to_try() == (wanted,)


@pytest.mark.parametrize("outcome", ["closed", "unsupported"])
def test_a_version_accepted_instead_of_5_is_tried_alone_for_some_time(
    choice: VersionChoice, now: Now, outcome: str
) -> None:
    choice.note("5", outcome)  # type: ignore[arg-type]
    choice.note("3.1.1", "accepted")
    now.at += FALLBACK_S - 1
    assert choice.to_try() == ("3.1.1",)
    now.at += 1
    assert choice.to_try() == ("5", "3.1.1")


def test_where_3_1_1_is_no_longer_accepted_5_is_tried_again_immediately(choice: VersionChoice) -> None:
    choice.note("3.1.1", "accepted")
    choice.note("3.1.1", "closed")
    assert choice.to_try() == ("5", "3.1.1")


def test_a_broker_that_knows_5_may_close_some_connections_while_it_restarts(choice: VersionChoice) -> None:
    choice.note("5", "accepted")
    for _ in range(CLOSED_IN_A_ROW):
        assert choice.to_try() == ("5",)
        choice.note("5", "closed")
    assert choice.to_try() == ("5", "3.1.1")
    choice.note("5", "accepted")
    assert choice.to_try() == ("5",)


def test_a_broker_that_knew_5_and_now_refuses_it_is_tried_with_3_1_1(choice: VersionChoice) -> None:
    choice.note("5", "accepted")
    choice.note("5", "unsupported")
    assert choice.to_try() == ("5", "3.1.1")
