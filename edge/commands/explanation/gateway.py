"""The section of `edgewarden check` about the gateway and its connections."""

from __future__ import annotations

import click

from config.schema import Configuration, KafkaTable
from config.tables.transport import Connection, Credentials, Tls
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
    outbound, kafka = configuration.outbound, configuration.kafka
    if kafka is not None:
        paragraph(f"Readings come from {_cluster(kafka, configuration.gateway.name)}.")
    else:
        paragraph(f"Readings come from {_connection(configuration.inbound)}.")
    same = "Events go to the same broker." if kafka is None else "Events go to sinks only."
    paragraph(same if outbound is None else f"Events go to {_connection(outbound)}.")
    click.echo()


def _cluster(kafka: KafkaTable, gateway: str) -> str:
    begin = "the next record" if kafka.begin == "now" else "the oldest record that is kept"
    return (
        f"Apache Kafka at {', '.join(kafka.brokers)}, {_crypt(kafka.tls)}, {_user(kafka)}, as member {gateway} of the"
        f" group {kafka.group or f'edgewarden-{gateway}'}, which begins with {begin}; after {kafka.session_s:g} s of"
        " silence its partitions go to other members"
    )


def _user(table: Credentials) -> str:
    secret = ""
    if table.password_file is not None:
        secret = f" with the password in {table.password_file}"
    elif table.password_credential is not None:
        secret = f" with the password in the credential {table.password_credential}"
    elif table.password_env is not None:
        secret = f" with the password in the environment variable {table.password_env}"
    return f"as user {table.username}{secret}" if table.username else "without a user name"


def _crypt(tls: Tls | None) -> str:
    return "unencrypted" if tls is None else f"encrypted, with the certificates of {tls.ca_file or 'the system'}"


def _connection(connection: Connection) -> str:
    host = f"[{connection.host}]" if ":" in connection.host else connection.host
    spoken = "5, or 3.1.1 where it is refused" if connection.version == "auto" else connection.version
    return (
        f"{host}:{connection.port} over MQTT {spoken}, {_crypt(connection.tls)}, {_user(connection)}, "
        f"client id {connection.client_id}, probed after {connection.keepalive_s} s without traffic"
    )
