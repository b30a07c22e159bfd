"""Assembly of links: from a broker's table to connection options, including the password."""

from __future__ import annotations

from dataclasses import replace

from config.schema import Configuration, KafkaTable
from config.tables.passwords import password_of
from config.tables.transport import Connection, Tls
from edge.shell.link import LinkOptions, TlsOptions
from edge.shell.link.kafka.cluster import Cluster, GroupOptions, KafkaLinkOptions
from edge.shell.publishing.host_state import Host


def link_options(connection: Connection, configuration: Configuration) -> LinkOptions:
    """Builds the service's broker connections from the configuration.

    Raises:
        PasswordError: A password can't be obtained.
    """
    return LinkOptions(
        host=connection.host,
        port=connection.port,
        client_id=connection.client_id or "",
        username=connection.username,
        password=password_of(connection),
        tls=tls_options(connection.tls),
        keepalive_s=connection.keepalive_s,
        version=connection.version,
        clean_session=False,
        receive_messages=configuration.limits.receive_messages,
        receive_bytes=configuration.limits.receive_bytes,
        receive_maximum=configuration.broker.in_flight,
        linger_s=configuration.broker.linger_s,
    )


def kafka_options(table: KafkaTable, configuration: Configuration) -> KafkaLinkOptions:
    """How the cluster that readings come from is reached.

    Raises:
        PasswordError: A password can't be had.
    """
    name, limits = configuration.gateway.name, configuration.limits
    cluster = Cluster(table.brokers, table.username, password_of(table), table.sasl, tls_options(table.tls))
    group = GroupOptions(
        cluster,
        table.group or f"edgewarden-{name}",
        member=name,
        begin=table.begin,
        session_s=table.session_s,
        queued_bytes=limits.receive_bytes,
    )
    return KafkaLinkOptions(group, limits.receive_messages, limits.receive_bytes)


def hosts_of(configuration: Configuration) -> list[Host]:
    """The Sparkplug host applications configured for the inputs.

    Raises:
        PasswordError: A password can't be obtained.
    """
    names = dict.fromkeys(each.host_id for each in configuration.inputs if each.host_id is not None)
    if not names:
        return []
    options = link_options(configuration.inbound, configuration)
    return [Host(name, replace(options, client_id=f"{options.client_id}-{name}", linger_s=0.0)) for name in names]


def tls_options(tls: Tls | None) -> TlsOptions | None:
    """The certificates of a `tls` table."""
    if tls is None:
        return None
    files = (tls.ca_file, tls.certificate_file, tls.key_file)
    return TlsOptions(*(None if each is None else str(each) for each in files))
