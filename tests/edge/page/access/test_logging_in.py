from __future__ import annotations

import pytest
from starlette.requests import Request

from edge.page.access.logging_in import cookie_name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8790", "edgewarden-session-8790"),
        ("localhost:8791", "edgewarden-session-8791"),
        ("[::1]:8790", "edgewarden-session-8790"),
        ("[::1]", "edgewarden-session"),
        ("edge.example.com", "edgewarden-session"),
        ("a:\xb2", "edgewarden-session"),
    ],
)
def test_the_pages_of_two_gateways_on_one_host_have_their_own_cookies(host: str, name: str) -> None:
    assert cookie_name(Request({"type": "http", "headers": [(b"host", host.encode("latin-1"))]})) == name
