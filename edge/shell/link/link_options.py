"""The options of a link: the broker, the in-flight window, the subscriptions."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Will = tuple[str, bytes]
"""Topic and payload that the broker publishes, retained and with QoS 1, when we vanish."""


@dataclass(frozen=True)
class TlsOptions:
    """Encryption. The broker's certificate and its name are always verified.

    Attributes:
        ca_file: Certificates that the broker's must be signed by (PEM); None for those of the system.
        certificate_file: Our own certificate (PEM), if the broker asks for one.
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
    """The password of a key: without this, a protected key would ask for it on the terminal."""
    return ""


@dataclass(frozen=True)
class LinkOptions:
    """The settings of a broker connection, and its in-flight window.

    Attributes:
        host: Name or address.
        port: TCP port.
        client_id: MQTT client id; a persistent session needs one that stays.
        username: User name.
        password: Password; never logged.
        tls: Encryption, or None.
        keepalive_s: A dead connection is noticed within 1.5 of it; 2 or more.
        version: With `auto`, 5, and 3.1.1 for a broker that doesn't accept 5.
        clean_session: False if the broker shall keep messages for us while we are away.
        in_flight: Publications of QoS 1 without a PUBACK, at most; an MQTT 5 broker may lower it.
        receive_maximum: Messages of QoS 1 that an MQTT 5 broker may send without our acknowledgement.
        linger_s: In a stream of messages, the socket is left unread for up to this long; see `linger.py`.
        will: The last will, or what gives that of each connection as it is made, called in the network thread.
        echo: A topic of our own that is subscribed to separately; its messages are in `Link.echo`.
        births: A topic with birth messages, subscribed to separately, too; they are in `Link.births`.
        receive_messages: Messages that wait to be received, at most.
        receive_bytes: Size of their payloads, at most; one that is larger by itself still passes.
        first_delay_s: Pause before the second attempt to connect, before jitter.
        longest_delay_s: The limit of that pause, which doubles each time.

    Raises:
        ValueError: A persistent session is asked for without a client id.
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
    """A topic filter, and the quality of service to ask for: 0 or 1."""

    filter: str
    qos: int = 1


class EventProperties(NamedTuple):
    """MQTT 5 properties of a payload; left out with 3.1.1."""

    content_type: str
    user: tuple[tuple[str, str], ...] = ()
