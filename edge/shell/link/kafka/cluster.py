"""A Kafka cluster: connection settings, shared by consumers and producers, and the options of the link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from edge.shell.link.link_options import TlsOptions, Will


@dataclass(frozen=True)
class Cluster:
    """The settings of a connection to a cluster.

    Attributes:
        brokers: Bootstrap servers, each `host:port`.
        username: User name of SASL; None for no authentication.
        password: The user's password; never logged.
        sasl: SASL mechanism: `plain`, `scram-sha-256` or `scram-sha-512`.
        tls: TLS settings; None for an unencrypted connection.
    """

    brokers: tuple[str, ...]
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sasl: str = "plain"
    tls: TlsOptions | None = None

    def settings(self, client_id: str = "edgewarden") -> dict[str, Any]:
        """The connection's settings for librdkafka; the broker's certificate and host name are always verified."""
        tls = self.tls
        settings: dict[str, Any] = {
            "bootstrap.servers": ",".join(self.brokers),
            "client.id": client_id,
            "socket.keepalive.enable": True,
            "reconnect.backoff.max.ms": 5000,
            "security.protocol": f"{'SASL_' if self.username else ''}{'SSL' if tls else 'PLAINTEXT'}",
            "log_level": 0,
        }
        if self.username is not None:
            settings |= {
                "sasl.mechanism": self.sasl.upper(),
                "sasl.username": self.username,
                "sasl.password": self.password or "",
            }
        if tls is not None:
            files = (
                ("ssl.ca.location", tls.ca_file),
                ("ssl.certificate.location", tls.certificate_file),
                ("ssl.key.location", tls.key_file),
            )
            settings |= {name: file for name, file in files if file is not None}
        return settings


@dataclass(frozen=True)
class GroupOptions:
    """The settings of a member of a consumer group.

    Attributes:
        cluster: The cluster that has the topics.
        group: Name of the group.
        member: Static name of the member (`group.instance.id`), which is kept over a restart.
        begin: Where a group without committed offsets begins: at `now`, or at the oldest record.
        session_s: Session timeout in seconds, after which the partitions of a silent member are reassigned.
        queued_bytes: Maximum size of fetched records that wait in the client.
    """

    cluster: Cluster
    group: str
    member: str
    begin: Literal["now", "beginning"] = "now"
    session_s: float = 45.0
    queued_bytes: int = 64 * 2**20


@dataclass(frozen=True)
class KafkaLinkOptions:
    """The settings of the link; see `LinkPlace`.

    Attributes:
        group: The cluster, the group and the name of the member.
        receive_messages: Maximum number of messages waiting to be received.
        receive_bytes: Maximum size of their payloads.
        will: None, because Kafka has no last will.
    """

    group: GroupOptions
    receive_messages: int = 10_000
    receive_bytes: int = 64 * 2**20
    will: Will | Callable[[], Will] | None = None

    @property
    def host(self) -> str:
        """Name or address of the first bootstrap server."""
        return self.group.cluster.brokers[0].rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """TCP port of the first bootstrap server."""
        return int(self.group.cluster.brokers[0].rpartition(":")[2])

    @property
    def client_id(self) -> str:
        """Name of the member of the group."""
        return self.group.member
