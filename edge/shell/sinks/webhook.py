"""Webhook: posts each event to a URL, one at a time and in order.

The body is the CloudEvent in structured mode. With a secret it is signed according to Standard Webhooks:
`webhook-signature: v1,` and the base64 of the HMAC-SHA256 over ID, timestamp and body, joined by dots. Redirects aren't
followed. 2xx is a confirmation. 401, 403, 404, 407, 410, 3xx, 408, 425, 429 and 5xx concern the receiver or the
credentials, so the event is retried; other 4xx codes concern the event.

Sources: CloudEvents 1.0.2, HTTP Protocol Binding, section 3.2; Standard Webhooks 1.0.0; RFC 9110, sections 10.2.3, 15.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import socket
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from io import BufferedReader, RawIOBase
from typing import Any
from urllib.parse import urlsplit

from edge.core.model.notation.printable import printable, shortened
from edge.shell.link import TlsOptions
from edge.shell.sinks.base import EventRefused, Outcome, SinkTrouble
from edge.shell.sinks.cloud_event import header_of
from edge.shell.sinks.delivery.failure_reasons import why_unreachable
from edge.shell.sinks.options import WebhookOptions
from edge.shell.store import OutboxRow
from edge.version import VERSION

LARGEST_ANSWER = 64 * 1024
LONGEST_WAIT_S = 3600.0
"""Maximum pause before a retry, even if the receiver requests a longer one."""

OF_THE_RECEIVER = frozenset({401, 403, 404, 407, 408, 410, 425, 429})
"""Status codes below 500 that may change with a later attempt."""

PREFIX = "whsec_"
"""Prefix of a base64 secret, as defined by Standard Webhooks."""

LONGEST_REASON = 200


class WebhookSink:
    """Posts events to a URL.

    Args:
        options: Settings of the receiver.
        clock: The current time for signatures, in seconds since the epoch, UTC.
    """

    most = 1
    keeps_order = True

    def __init__(self, options: WebhookOptions, clock: Callable[[], float] = time.time) -> None:
        parts = urlsplit(options.url)
        self._options = options
        self._clock = clock
        self._path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        self._key = None if options.secret is None else signing_key(options.secret)
        self._headers = {
            "Content-Type": "application/cloudevents+json; charset=UTF-8",
            "User-Agent": f"edgewarden/{VERSION}",
            **_authorization(options),
        }
        host, port = parts.hostname or "", parts.port
        kind = _TlsConnection if parts.scheme == "https" else _Connection
        self._connection = kind(host, port, options)
        self._outcomes: list[Outcome] = []

    def open(self) -> None:
        """See `Sink`."""
        self._outcomes.clear()
        try:
            self._connection.connect()
        except (OSError, ValueError) as error:
            raise SinkTrouble(why_unreachable(error)) from error

    def send(self, row: OutboxRow) -> bool:
        """See `Sink`; waits for the answer."""
        if self._outcomes:
            return False
        headers = {**self._headers, **self._signature(row.payload)}
        try:
            status, reason, retry_after = self._post(row.payload, headers)
        except (OSError, ValueError) as error:
            raise SinkTrouble(why_unreachable(error)) from error
        except http.client.HTTPException as error:
            raise SinkTrouble(f"no answer in HTTP: {type(error).__name__}") from error
        if 200 <= status < 300:
            self._outcomes.append(Outcome(row.sequence))
            return True
        words = f"the receiver answers {status}{f' {reason}' if reason else ''}"
        if 400 <= status < 500 and status not in OF_THE_RECEIVER:
            raise EventRefused(words)
        raise SinkTrouble(words, retry_after_s(retry_after, self._clock()))

    def outcomes(self, wait_s: float) -> list[Outcome]:  # noqa: ARG002 - an answer has been waited for already
        """See `Sink`."""
        found, self._outcomes = self._outcomes, []
        return found

    def close(self) -> None:
        """See `Sink`."""
        self._connection.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, str]:
        """Post once, or again if a kept-alive connection has been closed; returns status, reason and Retry-After."""
        was_used = self._connection.is_used
        try:
            return self._post_once(body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._connection.close()
            if not was_used:
                raise
        return self._post_once(body, headers)

    def _post_once(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, str]:
        connection = self._connection
        connection.request("POST", self._path, body, headers)
        answer = connection.getresponse()
        rest = answer.read(LARGEST_ANSWER + 1)
        if len(rest) > LARGEST_ANSWER or not answer.isclosed():
            connection.close()
        connection.is_used = True
        reason = shortened(printable(answer.reason or ""), LONGEST_REASON)
        return answer.status, reason, answer.headers.get("Retry-After", "")

    def _signature(self, body: bytes) -> dict[str, str]:
        if self._key is None:
            return {}
        identity, timestamp = header_of(body, "id"), str(int(self._clock()))
        signed = f"{identity}.{timestamp}.".encode() + body
        signature = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        return {"webhook-id": identity, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def signing_key(secret: str) -> bytes:
    """The key of a secret: base64 after `whsec_`, or the text itself."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()


def retry_after_s(value: str, now: float) -> float:
    """The delay of a `Retry-After` header in seconds; 0 if it can't be read."""
    if value.strip().isdecimal():
        return min(float(value), LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(0.0, until - now), LONGEST_WAIT_S)


def _authorization(options: WebhookOptions) -> dict[str, str]:
    if options.token is not None:
        return {"Authorization": f"Bearer {options.token}"}
    if options.login.username is None:
        return {}
    pair = f"{options.login.username}:{options.login.password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class _Connection(http.client.HTTPConnection):
    """A connection with a deadline for the whole answer, not only for each part of it.

    Attributes:
        is_used: Whether it has carried an answer before, so that the receiver may have closed it.
    """

    def __init__(self, host: str, port: int | None, options: WebhookOptions) -> None:
        super().__init__(host, port, timeout=options.timeout_s)
        self.options = options
        self.is_used = False
        self.response_class = _answer_within(options.timeout_s)  # type: ignore[assignment]

    def close(self) -> None:
        """Close it; the next request reconnects."""
        self.is_used = False
        super().close()


class _TlsConnection(_Connection):
    """A connection with TLS and a deadline for the whole answer."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        """Connect and verify the receiver; certificates are read each time."""
        tls = self.options.tls
        context = (tls or TlsOptions()).context()
        super().connect()
        self.sock: Any = context.wrap_socket(self.sock, server_hostname=self.host)


def _answer_within(timeout_s: float) -> Callable[..., http.client.HTTPResponse]:
    def answer(sock: socket.socket, *values: Any, **named: Any) -> http.client.HTTPResponse:
        made = http.client.HTTPResponse(sock, *values, **named)
        made.fp = BufferedReader(_Within(sock, made.fp, time.monotonic() + timeout_s))
        return made

    return answer


class _Within(RawIOBase):
    """Reads bytes from a socket until a deadline, then raises `TimeoutError`.

    Args:
        sock: The socket.
        file: A file of the socket, which keeps it open while the answer is read.
        until: The deadline, by `time.monotonic()`.
    """

    def __init__(self, sock: socket.socket, file: BufferedReader, until: float) -> None:
        super().__init__()
        self._file = file
        self._socket = sock
        self._usual_s = sock.gettimeout()
        self._until = until

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left_s)
        try:
            return self._socket.recv_into(buffer)
        finally:
            self._socket.settimeout(self._usual_s)

    def close(self) -> None:
        """See `io.RawIOBase`."""
        self._file.close()
        super().close()
