"""Clients that hold connections without sending a request, or send one slowly."""

from __future__ import annotations

import http.client
import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from page_client import PageClient

from config.loading import parse
from edge.page.live import audience
from edge.page.server import connections
from edge.page.server.connections import MOST_CONNECTIONS
from edge.page.server.serving import served

POST = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Type: application/json\r\n"
PASSWORD = b'Content-Length: 100\r\n\r\n{"password": "'


@pytest.fixture
def port(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[int]:
    """The port of a page whose service hasn't started yet."""
    caplog.set_level(logging.INFO, "edgewarden.page")
    configuration = parse('[page]\nport = 0\n[[input]]\ntopic = "a"\n', "edgewarden.toml", tmp_path).configuration
    assert configuration.page is not None
    with served(configuration.page, configuration, tmp_path / "edgewarden.toml"):
        found = re.search(r"page address=http://127.0.0.1:(\d+)/", caplog.text)
        assert found is not None
        yield int(found[1])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request must arrive within a fraction of a second."""
    monkeypatch.setattr(connections, "REQUEST_S", 0.3)


def status(port: int, path: str = "/") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def is_cut(client: socket.socket, more: bytes = b"") -> bool:
    """Whether the server closes a connection on which a byte is sent now and then."""
    client.settimeout(0.05)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if more:
                client.sendall(more[:1])
                more = more[1:] + more[:1]
            if not client.recv(4096):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_clients_that_connect_without_a_request_lock_nobody_out(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack:
        for _ in range(3 * MOST_CONNECTIONS // 2):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert [status(port) for _ in range(3)] == [200] * 3
    assert "connection_cut address='127.0.0.1' reason='too many connections'" in caplog.text


def test_clients_that_send_an_endless_head_lock_nobody_out(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(3 * MOST_CONNECTIONS // 2):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-More: ")
        assert [status(port) for _ in range(3)] == [200] * 3


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("first", "slowly"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-More: 1\r\n"),
        (POST + PASSWORD, b"x"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HTTP/1.1\r\nX-More: 1\r\n"),
    ],
    ids=["nothing", "slow head", "slow body", "nothing after an answer", "slow head after an answer"],
)
def test_a_connection_whose_request_is_not_complete_in_time_is_closed(port: int, first: bytes, slowly: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(first)
        assert is_cut(client, slowly)


@pytest.mark.usefixtures("impatient")
def test_a_page_that_listens_keeps_its_connection(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "ALIVE_S", 0.2)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/api/stream")
    answer = connection.getresponse()
    lines = [answer.readline() for _ in range(40)]
    assert lines.count(b"event: alive\n") >= 8
    answer.close()
    connection.close()


def test_a_client_that_disconnects_during_its_request_leaves_no_traceback(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(POST + PASSWORD)
    assert [status(port) for _ in range(3)] == [200] * 3
    assert "Exception" not in caplog.text


def test_invalid_http_is_one_kind_of_line_in_the_log_of_the_service(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    for each in (b"\x16\x03\x01\x02", b"?\r\n\r\n", b"GET / HTTP/9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(each)
            assert is_cut(client)
    told = [each.getMessage() for each in caplog.records if each.name == "edgewarden.page"]
    assert told.count("page_server message='Invalid HTTP request received.'") == 3
    assert not logging.getLogger("uvicorn.error").propagate


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_cached_file_with_its_tag_in_any_spelling_is_not_sent_again(port: int, form: str) -> None:
    client = PageClient(f"127.0.0.1:{port}")
    tag = client.get("/assets/app.js").headers["etag"]
    assert client.get("/assets/app.js", If_None_Match=form.format(tag)).status == 304
    assert client.get("/assets/page.css", If_None_Match=f"W/{tag}").status == 200


def test_a_head_request_for_the_stream_holds_no_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"HEAD /api/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert is_cut(client)
