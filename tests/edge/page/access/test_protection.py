from __future__ import annotations

import pytest

from edge.page.access.protection import Protection


async def nothing(*_: object) -> None:
    return None


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8790", True),
        ("localhost", True),
        ("[::1]:8790", True),
        ("edge.example.com:443", True),
        ("EDGE.example.com", True),
        ("192.168.1.5:8790", False),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_a_local_page_is_requested_by_its_own_names_only(host: str, ours: bool) -> None:
    assert Protection(nothing, "127.0.0.1", ("edge.example.com",)).is_ours(host) is ours


@pytest.mark.parametrize(("host", "ours"), [("192.168.1.5:8790", True), ("evil.example", False)])
def test_a_page_on_the_network_is_requested_by_addresses_too(host: str, ours: bool) -> None:
    assert Protection(nothing, "0.0.0.0").is_ours(host) is ours  # noqa: S104 - nothing is bound
