"""The tables about MQTT: the gateway, its broker, and the broker for events."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from config.notation.topics import base_problem
from config.tables.common.fields import FieldPlace, ReadableFile, Table, checks, refuse
from config.tables.common.texts import ClientId, Credential, Host, Name, UserName, Variable

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Gateway(Table):
    """This gateway."""

    name: Annotated[Name, Meta(description="Name of this gateway, part of topics and event IDs")] = "gateway"
    base: Annotated[str, Meta(description="Prefix of all topics of this gateway")] = "edgewarden/{gateway}"

    @staticmethod
    @checks("base")
    def _base_is_a_topic(base: str, place: FieldPlace) -> str:
        problem = base_problem(base.replace("{gateway}", place.earlier.get("name", "gateway")))
        if problem:
            raise refuse(problem)
        return base

    @property
    def topic_base(self) -> str:
        """The base with the gateway's name filled in."""
        return self.base.replace("{gateway}", self.name)


class Tls(Table):
    """The encryption of a connection."""

    ca_file: Annotated[
        ReadableFile | None,
        Meta(description="CA certificates that verify the broker's certificate (PEM); by default those of the system"),
    ] = None
    certificate_file: Annotated[ReadableFile | None, Meta(description="The client certificate (PEM)")] = None
    key_file: Annotated[
        ReadableFile | None, Meta(description="The key of the client certificate (PEM), without a password")
    ] = None

    @staticmethod
    @checks("key_file", first=True)
    def _needs_a_certificate(value: object, place: FieldPlace) -> object:
        if value is not None and place.earlier.get("certificate_file", "broken") is None:
            raise refuse("needs certificate_file too")
        return value

    @staticmethod
    @checks("key_file", absent=True)
    def _belongs_to_the_certificate(value: object, place: FieldPlace) -> object:
        if value is None and place.earlier.get("certificate_file") is not None:
            raise refuse("must be given where certificate_file is")
        return value


class Credentials(Table):
    """A user and where the password is."""

    username: Annotated[UserName | None, Meta(description="User name")] = None
    password_file: Annotated[ReadableFile | None, Meta(description="File that contains only the password")] = None
    password_env: Annotated[Variable | None, Meta(description="Environment variable that contains the password")] = None
    password_credential: Annotated[
        Credential | None, Meta(description="systemd credential that contains the password, such as edgewarden.broker")
    ] = None

    @staticmethod
    @checks("password_file", "password_env", "password_credential", first=True)
    def _needs_a_user(value: object, place: FieldPlace) -> object:
        if value is not None and place.earlier.get("username", "broken") is None:
            raise refuse("needs username too")
        for other in ("password_file", "password_env"):
            if value is not None and other != place.key and place.earlier.get(other) is not None:
                raise refuse(f"must not be given where {other} is")
        return value


class Connection(Credentials):
    """The settings of an MQTT broker."""

    host: Annotated[Host, Meta(description="Name or address of the broker")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port of the broker")] = 1883
    client_id: Annotated[
        ClientId | None, Meta(description="MQTT client ID; by default derived from the gateway's name")
    ] = None
    keepalive_s: Annotated[int, Meta(ge=5, le=3600, description="Seconds after which an idle connection is probed")] = (
        30
    )
    version: Annotated[
        Literal["auto", "3.1.1", "5"],
        Meta(description="MQTT version; auto: 5, and 3.1.1 if the broker doesn't accept 5"),
    ] = "auto"
    check_delivery: Annotated[
        bool,
        Meta(
            description="With MQTT 3.1.1, an event is delivered once the gateway's own status,"
            " sent after it, is received"
        ),
    ] = True
    tls: Annotated[Tls | None, Meta(description="Encryption; an empty table is enough for a public certificate")] = None


class Broker(Connection):
    """The broker that the sensors publish to."""

    in_flight: Annotated[
        int,
        Meta(
            ge=1,
            le=65_535,
            description="Maximum number of unacknowledged QoS 1 messages; requested from an MQTT 5 broker",
        ),
    ] = 1000
    linger_s: Annotated[
        float,
        Meta(
            ge=0,
            le=5,
            description="Maximum delay for processing messages together; a message after a pause isn't delayed",
        ),
    ] = 0.5
    embedded: Annotated[
        bool, Meta(description="Start a broker on this machine, for evaluation; it accepts local connections only")
    ] = False

    @staticmethod
    @checks("embedded")
    def _embedded_is_local(embedded: bool, place: FieldPlace) -> bool:
        if not embedded:
            return embedded
        if place.earlier.get("host", "127.0.0.1") not in LOOPBACK:
            raise refuse(f"needs a host of this machine such as 127.0.0.1, is {place.earlier['host']}")
        for key in ("username", "tls"):
            if place.earlier.get(key) is not None:
                raise refuse(f"starts a broker without passwords and encryption: leave out {key}")
        return embedded


class Upstream(Connection, kw_only=True):
    """The broker that events go to, if it isn't the sensors' broker."""

    host: Annotated[Host, Meta(description="Name or address of the broker")]
