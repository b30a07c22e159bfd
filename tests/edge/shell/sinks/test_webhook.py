"""The requests of a webhook, and the meaning of the responses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_server

import pytest
from certificates import Certificates, available, make
from http_receivers import Answer, WebhookReceiver
from sink_line import sink_event

from edge.shell.link import TlsOptions
from edge.shell.sinks.base import EventRefused, SinkTrouble
from edge.shell.sinks.options import Login, WebhookOptions
from edge.shell.sinks.webhook import LONGEST_WAIT_S, WebhookSink, retry_after_s, signing_key
from edge.shell.store import OutboxRow

NOW = 1_700_000_000.0


def row(number: int = 1) -> OutboxRow:
    event = sink_event(number)
    return OutboxRow(number, event.topic, event.transition, event.kind, event.severity, event.sensor, event.payload)


OPEN: list[WebhookSink] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def sink(receiver: WebhookReceiver, **more: object) -> WebhookSink:
    made = WebhookSink(WebhookOptions(receiver.how().url, timeout_s=1.0, **more), clock=lambda: NOW)
    OPEN.append(made)
    made.open()
    return made


def test_the_body_is_the_stored_event(receiver: WebhookReceiver) -> None:
    assert sink(receiver).send(row())
    headers, body = receiver.requests[0]
    assert body == row().payload
    assert headers["Content-Type"] == "application/cloudevents+json; charset=UTF-8"
    assert headers["User-Agent"].startswith("edgewarden/")
    assert "Authorization" not in headers
    assert "webhook-signature" not in headers


def test_a_signature_can_be_verified_with_standard_webhooks(receiver: WebhookReceiver) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    sink(receiver, secret=f"whsec_{base64.b64encode(key).decode()}").send(row())
    headers, body = receiver.requests[0]
    assert headers["webhook-id"] == json.loads(body)["id"]
    assert headers["webhook-timestamp"] == str(int(NOW))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("secret", ["plain words", "whsec_not base64!"])
def test_a_secret_that_is_not_base64_is_used_as_it_is(secret: str) -> None:
    assert signing_key(secret) == secret.encode()


def test_a_token_or_a_user_is_sent(receiver: WebhookReceiver) -> None:
    sink(receiver, token="s3cret").send(row())  # noqa: S106 - the test's own
    sink(receiver, login=Login("us", "pä:ss")).send(row())
    assert receiver.requests[0][0]["Authorization"] == "Bearer s3cret"
    assert receiver.requests[1][0]["Authorization"] == f"Basic {base64.b64encode('us:pä:ss'.encode()).decode()}"


def test_no_secret_is_shown_by_the_options() -> None:
    shown = repr(WebhookOptions("http://h", Login("us", "p4ss"), token="t0ken", secret="s3cret"))  # noqa: S106 - likewise
    assert not any(each in shown for each in ("p4ss", "t0ken", "s3cret"))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_an_answer_of_200_to_299_is_a_confirmation(receiver: WebhookReceiver, status: int) -> None:
    receiver.answer = lambda _: Answer(status)
    made = sink(receiver)
    assert made.send(row(7))
    assert made.outcomes(0) == [(7, "")]
    assert made.outcomes(0) == []


@pytest.mark.parametrize("status", [400, 405, 406, 409, 413, 415, 422, 451])
def test_other_answers_of_400_to_499_refuse_the_event(receiver: WebhookReceiver, status: int) -> None:
    receiver.answer = lambda _: Answer(status)
    with pytest.raises(EventRefused, match=f"answers {status}"):
        sink(receiver).send(row())


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 407, 408, 410, 425, 429, 500, 502, 503])
def test_these_answers_are_about_the_receiver(receiver: WebhookReceiver, status: int) -> None:
    receiver.answer = lambda _: Answer(status, {"Location": "http://127.0.0.1:1/"})
    with pytest.raises(SinkTrouble, match=f"answers {status}") as trouble:
        sink(receiver).send(row())
    assert trouble.value.retry_after_s == 0
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_the_receiver_sets_the_waiting_time(receiver: WebhookReceiver, status: int) -> None:
    receiver.answer = lambda _: Answer(status, {"Retry-After": "120"})
    with pytest.raises(SinkTrouble) as trouble:
        sink(receiver).send(row())
    assert trouble.value.retry_after_s == 120


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("7", 7.0),
        ("99999999999999999999", LONGEST_WAIT_S),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2000 22:14:20 GMT", 0.0),
        ("Tue, 14 Nov 2033 22:14:20 GMT", LONGEST_WAIT_S),
    ],
)
def test_a_wait_is_seconds_or_a_date_and_bounded(value: str, seconds: float) -> None:
    assert retry_after_s(value, NOW) == seconds


def test_one_connection_carries_many_events(receiver: WebhookReceiver) -> None:
    made = sink(receiver)
    for number in range(5):
        assert made.send(row(number))
        made.outcomes(0)
    assert len(receiver._server.sockets) == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(receiver: WebhookReceiver) -> None:
    made = sink(receiver)
    made.send(row(1))
    made.outcomes(0)
    receiver.kill()
    receiver.start()
    assert made.send(row(2))
    assert made.outcomes(0) == [(2, "")]


def test_a_receiver_that_answers_close_gets_a_new_connection(receiver: WebhookReceiver) -> None:
    receiver.answer = lambda _: Answer(200, {"Connection": "close"}, b"thanks")
    made = sink(receiver)
    for number in (1, 2):
        assert made.send(row(number))
        assert made.outcomes(0) == [(number, "")]


def test_an_endless_answer_is_not_read_to_the_end(receiver: WebhookReceiver) -> None:
    receiver.answer = lambda _: Answer(200, {}, b"x" * 5_000_000)
    made = sink(receiver)
    for number in (1, 2):
        assert made.send(row(number))
        assert made.outcomes(0) == [(number, "")]


def test_a_slow_answer_has_a_deadline_as_a_whole() -> None:
    server = create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = server.accept()
        connection.recv(65536)
        try:
            for each in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
                connection.sendall(bytes([each]))
                time.sleep(0.1)
        except OSError:
            connection.close()

    threading.Thread(target=drip, daemon=True).start()
    made = WebhookSink(WebhookOptions(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=1.0))
    made.open()
    with pytest.raises(SinkTrouble, match="no answer in time"):
        made.send(row())
    made.close()
    server.close()


def test_an_invalid_http_answer_is_the_fault_of_the_receiver() -> None:
    server = create_server(("127.0.0.1", 0))

    def talk() -> None:
        connection, _ = server.accept()
        connection.recv(65536)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.close()

    threading.Thread(target=talk, daemon=True).start()
    made = WebhookSink(WebhookOptions(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=1.0))
    made.open()
    with pytest.raises(SinkTrouble, match="no answer in HTTP"):
        made.send(row())
    made.close()
    server.close()


def test_a_missing_receiver_is_reported_in_words(receiver: WebhookReceiver) -> None:
    receiver.kill()
    with pytest.raises(SinkTrouble, match="nothing listens there"):
        sink(receiver)


class TlsReceiver:
    def __init__(self, certificates: Certificates) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *values: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"https://localhost:{self.server.server_address[1]}/"


@pytest.mark.skipif(not available(), reason="openssl isn't installed")
def test_a_certificate_must_be_signed_by_the_configured_authority(tmp_path: Path) -> None:
    certificates = make(tmp_path)
    receiver = TlsReceiver(certificates)
    made = WebhookSink(WebhookOptions(receiver.url, tls=TlsOptions(str(certificates.ca))))
    made.open()
    assert made.send(row())
    made.close()
    with pytest.raises(SinkTrouble, match="certificate is not accepted"):
        WebhookSink(WebhookOptions(receiver.url)).open()
    receiver.server.shutdown()
    receiver.server.server_close()
