"""The page's listening socket."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from config.loading import parse
from config.problems import ConfigurationError
from edge.page.server import serving
from edge.page.server.serving import served


def test_a_port_used_by_another_program_is_an_error_that_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = f'[page]\nport = {port}\n[[input]]\ntopic = "a"\n'
        configuration = parse(text, "edgewarden.toml", tmp_path).configuration
        assert configuration.page is not None
        with (
            pytest.raises(ConfigurationError, match=f"page.port: 127.0.0.1:{port} is in use by another program"),
            served(configuration.page, configuration, tmp_path / "edgewarden.toml"),
        ):
            pass


def test_a_client_that_reads_nothing_is_disconnected_and_little_is_kept_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "UNREAD_S", 1.0)
    with serving._listen("127.0.0.1", 0, tmp_path) as listening, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.connect(listening.getsockname())
        accepted, _ = listening.accept()
        with accepted:
            accepted.settimeout(120)
            with pytest.raises(TimeoutError) as caught:
                accepted.sendall(bytes(2**20))
            assert caught.value.errno == errno.ETIMEDOUT  # created by the kernel, not by the test
