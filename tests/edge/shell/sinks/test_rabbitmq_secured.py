"""RabbitMQ over TLS with client certificates and passwords: which connections succeed, and why others don't."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import certificates
import pytest
from running import wait_until
from sink_line import SinkLine, sink_events

pytest.importorskip("pika")

from delivered_events import first_of_each
from rabbitmq_server import RabbitMq

from edge.shell.broker.embedded import free_port
from edge.shell.link import TlsOptions
from edge.shell.sinks.options import Login, RabbitmqOptions, SinkOptions

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not certificates.available(), reason="openssl isn't installed"),
]

USER, PASSWORD = "gw", "right-password"


class SecuredRabbitMq:
    """A node with an encrypted listener, which requires a certificate and a password."""

    def __init__(self, folder: Path) -> None:
        self.made = certificates.make(folder / "certificates")
        self.port = free_port()
        self.node = RabbitMq(f"""
listeners.ssl.1 = 127.0.0.1:{self.port}
ssl_options.cacertfile = {self.made.ca}
ssl_options.certfile = {self.made.certificate}
ssl_options.keyfile = {self.made.key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
""")
        self.node.start()
        self.node.control("await_startup")
        self.node.control("add_user", USER, PASSWORD)
        self.node.control("set_permissions", USER, ".*", ".*", ".*")

    @contextmanager
    def channel(self) -> Iterator[Any]:
        import pika

        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.node.port))
        try:
            yield connection.channel()
        finally:
            connection.close()

    def sequences(self, queue: str) -> list[int]:
        found = []
        with self.channel() as channel:
            while (message := channel.basic_get(queue, auto_ack=True))[0] is not None:
                found.append(message[2])
        return sorted(int(each["sequence"]) for each in first_of_each([json.loads(each) for each in found]))

    def tls(self, folder: Path | None = None) -> TlsOptions:
        """The files of a client that the node trusts, copied to a folder."""
        made = self.made
        if folder is None:
            return TlsOptions(str(made.ca), str(made.certificate), str(made.key))
        copies = [shutil.copy(each, folder / f"client-{each.name}") for each in (made.certificate, made.key)]
        return TlsOptions(str(made.ca), *map(str, copies))


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRabbitMq]:
    made = SecuredRabbitMq(tmp_path_factory.mktemp("rabbitmq"))
    yield made
    made.node.remove()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.5)
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.FIRST_S", 0.1)


@pytest.fixture
def queue(rabbitmq: SecuredRabbitMq, request: pytest.FixtureRequest) -> str:
    name = request.node.name
    with rabbitmq.channel() as channel:
        channel.exchange_declare(name, "topic", durable=True)
        channel.queue_declare(name, durable=True)
        channel.queue_bind(name, name, "#")
    return str(name)


def line_to(rabbitmq: SecuredRabbitMq, folder: Path, queue: str, tls: TlsOptions, password: str = PASSWORD) -> SinkLine:
    how = RabbitmqOptions("localhost", rabbitmq.port, "/", queue, Login(USER, password), tls)
    return SinkLine(folder, SinkOptions("out", "rabbitmq", how, begin="beginning"))


def error_of(line: SinkLine) -> str:
    return str(line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error"))


def test_events_arrive_with_a_client_certificate_and_a_password(
    rabbitmq: SecuredRabbitMq, queue: str, tmp_path: Path
) -> None:
    line = line_to(rabbitmq, tmp_path, queue, rabbitmq.tls())
    line.store_events(sink_events(1, 200))
    line.run_through(200)
    line.close()
    assert rabbitmq.sequences(queue) == list(range(1, 201))


def test_without_a_trusted_certificate_the_reason_is_reported_and_events_wait(
    rabbitmq: SecuredRabbitMq, queue: str, tmp_path: Path
) -> None:
    line = line_to(rabbitmq, tmp_path, queue, TlsOptions(str(rabbitmq.made.ca)))
    line.store_events(sink_events(1, 5))
    try:
        assert "certificate" in error_of(line)
        assert line.passed() == {"out": 0}
    finally:
        line.close()


def test_a_broker_with_an_untrusted_certificate_gets_nothing(
    rabbitmq: SecuredRabbitMq, queue: str, tmp_path: Path
) -> None:
    stranger = certificates.make(tmp_path / "stranger")
    ours = rabbitmq.tls()
    line = line_to(rabbitmq, tmp_path, queue, TlsOptions(str(stranger.ca), ours.certificate_file, ours.key_file))
    line.store_events(sink_events(1, 5))
    assert "the receiver's certificate is not accepted" in error_of(line)
    line.close()
    assert rabbitmq.sequences(queue) == []


def test_a_certificate_that_is_renewed_under_its_name_is_used_by_the_next_connection(
    rabbitmq: SecuredRabbitMq, queue: str, tmp_path: Path
) -> None:
    tls = rabbitmq.tls(tmp_path)
    assert tls.certificate_file is not None
    assert tls.key_file is not None
    stranger = certificates.make(tmp_path / "stranger")
    shutil.copy(stranger.certificate, tls.certificate_file)
    shutil.copy(stranger.key, tls.key_file)
    line = line_to(rabbitmq, tmp_path, queue, tls)
    line.store_events(sink_events(1, 5))
    error_of(line)
    shutil.copy(rabbitmq.made.certificate, tls.certificate_file)
    shutil.copy(rabbitmq.made.key, tls.key_file)
    line.run_through(5)
    line.close()
    assert rabbitmq.sequences(queue) == [1, 2, 3, 4, 5]


def test_a_password_changed_on_the_server_is_reported_and_nothing_is_lost_until_it_is_right_again(
    rabbitmq: SecuredRabbitMq, queue: str, tmp_path: Path
) -> None:
    line = line_to(rabbitmq, tmp_path, queue, rabbitmq.tls())
    line.store_events(sink_events(1, 5))
    line.run_through(5)
    rabbitmq.node.control("change_password", USER, "another")
    rabbitmq.node.control("close_all_connections", "the password has changed")
    line.store_events(sink_events(6, 10))
    wait_until(lambda: "ACCESS_REFUSED" in error_of(line) or line.turn(), 60, "the refusal")
    assert PASSWORD not in error_of(line)
    assert line.passed() == {"out": 5}
    rabbitmq.node.control("change_password", USER, PASSWORD)
    line.run_through(10)
    line.close()
    assert rabbitmq.sequences(queue) == list(range(1, 11))


def test_a_revoked_permission_makes_events_wait(rabbitmq: SecuredRabbitMq, queue: str, tmp_path: Path) -> None:
    line = line_to(rabbitmq, tmp_path, queue, rabbitmq.tls())
    line.store_events(sink_events(1, 5))
    line.run_through(5)
    rabbitmq.node.control("set_permissions", USER, ".*", "", ".*")
    rabbitmq.node.control("close_all_connections", "the permissions have changed")
    line.store_events(sink_events(6, 10))
    wait_until(lambda: "ACCESS_REFUSED" in error_of(line) or line.turn(), 60, "the refusal")
    assert line.passed() == {"out": 5}
    assert line.keeper.as_dict()["out"]["set_aside"] == 0
    rabbitmq.node.control("set_permissions", USER, ".*", ".*", ".*")
    line.run_through(10)
    line.close()
    assert rabbitmq.sequences(queue) == list(range(1, 11))
