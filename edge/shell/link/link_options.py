"""The options of a link: the broker, the in-flight window, the subscriptions."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Will = tuple[str, bytes]
"""Topic and payload that the broker publishes, retained and with QoS 1, when the connection is lost."""


@dataclass(frozen=True)
class TlsOptions:
    """TLS settings. The broker's certificate and host name are always verified.

    Attributes:
        ca_file: Certificates that must have signed the broker's (PEM); None for those of the system.
        certificate_file: Client certificate (PEM), if the broker requires one.
        key_file: Its key (PEM), without a password.
    """

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    def context(self) -> ssl.SSLContext:
        """The SSL context for Python's sockets.

        Raises:
            OSError: A file can't be read, holds no certificate or key, or is protected by a password.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file, password=_no_password)
        return context


def _no_password() -> str:
    """An empty password for the key: without it, a protected key would prompt on the terminal."""
    return ""


@dataclass(frozen=True)
class LinkOptions:
    """The settings of a broker connection, and its in-flight window.

    Attributes:
        host: Host name or address.
        port: TCP port.
        client_id: MQTT client ID; a persistent session requires a constant one.
        username: User name.
        password: Password; never logged.
        tls: Encryption, or None.
        keepalive_s: A dead connection is detected within 1.5 times this; at least 2.
        version: `auto` means 5, falling back to 3.1.1 if the broker doesn't accept 5.
        clean_session: False for the broker to keep messages while the client is disconnected.
        in_flight: Maximum number of QoS 1 publications without a PUBACK; an MQTT 5 broker may lower it.
        receive_maximum: Maximum number of QoS 1 messages that an MQTT 5 broker may send without an acknowledgement.
        linger_s: Maximum time for which the socket is left unread in a stream of messages; see `linger.py`.
        will: The last will, or a function that returns it for each new connection, called in the network thread.
        echo: An own topic with a separate subscription; its messages are in `Link.echo`.
        births: A topic of birth messages, also with a separate subscription; they are in `Link.births`.
        receive_messages: Maximum number of received messages in the queue.
        receive_bytes: Maximum size of their payloads; a larger single message still passes.
        first_delay_s: Pause before the second connection attempt, before jitter.
        longest_delay_s: Maximum of that pause, which doubles each time; see `Reconnecting` for lower ones.

    Raises:
        ValueError: A persistent session is requested without a client ID.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsOptions | None = None
    keepalive_s: int = 30
    version: Literal["auto", "3.1.1", "5"] = "auto"
    clean_session: bool = True
    in_flight: int = 20
    receive_maximum: int = 65_535
    linger_s: float = 0.0
    will: Will | Callable[[], Will] | None = None
    echo: str | None = None
    births: str | None = None
    receive_messages: int = 10_000
    receive_bytes: int = 64 * 2**20
    first_delay_s: float = 1.0
    longest_delay_s: float = 120.0

    def __post_init__(self) -> None:
        if not self.clean_session and not self.client_id:
            raise ValueError("a persistent session needs a client id")


class Subscription(NamedTuple):
    """A topic filter and the requested quality of service, 0 or 1."""

    filter: str
    qos: int = 1


class EventProperties(NamedTuple):
    """MQTT 5 properties of a payload; omitted with 3.1.1."""

    content_type: str
    user: tuple[tuple[str, str], ...] = ()
