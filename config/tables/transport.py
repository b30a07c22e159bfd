"""The tables about MQTT: the gateway, its broker, and the broker for events."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from config.notation.hosts import host_problem
from config.notation.topics import base_problem
from config.tables.fields import ReadableFile, Table, checked, refuse


def _host_alone(host: str) -> str:
    problem = host_problem(host)
    if problem:
        raise refuse(problem)  # without the value, which may hold a password
    return host


Host = Annotated[str, AfterValidator(_host_alone)]
"""Name or address of a broker."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def name_problem(name: str) -> str | None:
    """The problem with a name used in topics and IDs, or None."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        return None
    return "must be 1 to 64 letters, digits, - or _"


def credential_problem(name: str) -> str | None:
    """The problem with the name of a service manager's credential, or None."""
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}", name):
        return None
    return "must be the name of a credential: letters, digits, _, ., @ or -"


def zone_problem(zone: str) -> str | None:
    """The problem with the name of a time zone, or None."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError, below
        return "isn't a time zone; write a name such as Europe/Berlin"
    except KeyError:
        return "isn't a time zone known to this machine; write a name such as Europe/Berlin"
    return None


class Gateway(Table):
    """This gateway."""

    name: Annotated[str, checked(name_problem)] = Field(
        "gateway", description="Name of this gateway, part of topics and event IDs"
    )
    base: str = Field("edgewarden/{gateway}", description="Prefix of all topics of this gateway")

    @field_validator("base")
    @classmethod
    def _base_is_a_topic(cls, base: str, info: ValidationInfo) -> str:
        problem = base_problem(base.replace("{gateway}", info.data.get("name", "gateway")))
        if problem:
            raise refuse(problem)
        return base

    @property
    def topic_base(self) -> str:
        """The base with the gateway's name filled in."""
        return self.base.replace("{gateway}", self.name)


class Tls(Table):
    """The encryption of a connection."""

    ca_file: ReadableFile | None = Field(
        None,
        description="CA certificates that verify the broker's certificate (PEM); by default those of the system",
    )
    certificate_file: ReadableFile | None = Field(None, description="The client certificate (PEM)")
    key_file: ReadableFile | None = Field(
        None, validate_default=True, description="The key of the client certificate (PEM), without a password"
    )

    @field_validator("key_file", mode="before")
    @classmethod
    def _needs_a_certificate(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("certificate_file", "broken") is None:
            raise refuse("needs certificate_file too")
        return value

    @field_validator("key_file")
    @classmethod
    def _belongs_to_the_certificate(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.data.get("certificate_file") is not None:
            raise refuse("must be given where certificate_file is")
        return value


class Credentials(Table):
    """A user and where the password is."""

    username: str | None = Field(None, min_length=1, max_length=1024, description="User name")
    password_file: ReadableFile | None = Field(None, description="File that contains only the password")
    password_env: str | None = Field(None, min_length=1, description="Environment variable that contains the password")
    password_credential: Annotated[str, checked(credential_problem)] | None = Field(
        None, description="systemd credential that contains the password, such as edgewarden.broker"
    )

    @field_validator("password_file", "password_env", "password_credential", mode="before")
    @classmethod
    def _needs_a_user(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("username", "broken") is None:
            raise refuse("needs username too")
        for other in ("password_file", "password_env"):
            if value is not None and other != info.field_name and info.data.get(other) is not None:
                raise refuse(f"must not be given where {other} is")
        return value


class Connection(Credentials):
    """The settings of an MQTT broker."""

    host: Host = Field("127.0.0.1", min_length=1, max_length=253, description="Name or address of the broker")
    port: int = Field(1883, ge=1, le=65535, description="TCP port of the broker")
    client_id: str | None = Field(
        None,
        min_length=1,
        max_length=128,
        description="MQTT client ID; by default derived from the gateway's name",
    )
    keepalive_s: int = Field(30, ge=5, le=3600, description="Seconds after which an idle connection is probed")
    version: Literal["auto", "3.1.1", "5"] = Field(
        "auto", description="MQTT version; auto: 5, and 3.1.1 if the broker doesn't accept 5"
    )
    check_delivery: bool = Field(
        True,
        description="With MQTT 3.1.1, an event is delivered once the gateway's own status, sent after it, is received",
    )
    tls: Tls | None = Field(None, description="Encryption; an empty table is enough for a public certificate")


class Broker(Connection):
    """The broker that the sensors publish to."""

    in_flight: int = Field(
        1000,
        ge=1,
        le=65_535,
        description="Maximum number of unacknowledged QoS 1 messages; requested from an MQTT 5 broker",
    )
    linger_s: float = Field(
        0.5,
        ge=0,
        le=5,
        description="Maximum delay for processing messages together; a message after a pause isn't delayed",
    )
    embedded: bool = Field(
        False,
        description="Start a broker on this machine, for evaluation; it accepts local connections only",
    )

    @field_validator("embedded")
    @classmethod
    def _embedded_is_local(cls, embedded: bool, info: ValidationInfo) -> bool:
        if not embedded:
            return embedded
        if info.data.get("host", "127.0.0.1") not in LOOPBACK:
            raise refuse(f"needs a host of this machine such as 127.0.0.1, is {info.data['host']}")
        for key in ("username", "tls"):
            if info.data.get(key) is not None:
                raise refuse(f"starts a broker without passwords and encryption: leave out {key}")
        return embedded


class Upstream(Connection):
    """The broker that events go to, if it isn't the sensors' broker."""

    host: Host = Field(min_length=1, max_length=253, description="Name or address of the broker")
