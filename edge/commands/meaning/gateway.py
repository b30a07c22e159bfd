"""The section of `edgewarden check` about the gateway and its connections."""

from __future__ import annotations

import click

from config.schema import Configuration
from config.tables.transport import Connection
from edge.commands.support.printing.terminal import heading, paragraph


def describe_gateway(configuration: Configuration) -> None:
    """Print the name of the gateway, its brokers, and how it connects to them."""
    heading("Gateway and broker")
    paragraph(f"This gateway is called {configuration.gateway.name}.")
    if configuration.broker.embedded:
        paragraph(
            "A broker is started on this machine and serves this machine only, at "
            f"{configuration.broker.host}:{configuration.broker.port}."
        )
    paragraph(f"Readings come from {_connection(configuration.inbound)}.")
    outbound = configuration.outbound
    paragraph("Events go to the same broker." if outbound is None else f"Events go to {_connection(outbound)}.")
    click.echo()


def _connection(connection: Connection) -> str:
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    secret = ""
    if connection.password_file is not None:
        secret = f" with the password in {connection.password_file}"
    elif connection.password_credential is not None:
        secret = f" with the password in the credential {connection.password_credential}"
    elif connection.password_env is not None:
        secret = f" with the password in the environment variable {connection.password_env}"
    user = f"as user {connection.username}{secret}" if connection.username else "without a user name"
    crypt = "unencrypted"
    if connection.tls is not None:
        trusted = connection.tls.ca_file or "the system"
        crypt = f"encrypted, with the certificates of {trusted}"
    spoken = "5, or 3.1.1 where it is refused" if connection.version == "auto" else connection.version
    return (
        f"{host}:{connection.port} over MQTT {spoken}, {crypt}, {user}, "
        f"client id {connection.client_id}, probed after {connection.keepalive_s} s without traffic"
    )
