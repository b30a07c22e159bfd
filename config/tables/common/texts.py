"""Kinds of texts that several tables have: names, globs, hosts, time zones, and where secrets are."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta

from config.notation.hosts import host_problem
from config.notation.topics import glob_problem
from config.tables.common.fields import Checked, FieldPlace, checked, refuse


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


def _host_alone(host: str, _: FieldPlace) -> str:
    problem = host_problem(host)
    if problem:
        raise refuse(problem)  # without the value, which may hold a password
    return host


Name = Annotated[str, checked(name_problem)]
Glob = Annotated[str, checked(glob_problem)]
Zone = Annotated[str, checked(zone_problem)]

Host = Annotated[str, Meta(min_length=1, max_length=253), Checked(_host_alone)]
"""Name or address of a broker."""

ClientId = Annotated[str, Meta(min_length=1, max_length=128)]
UserName = Annotated[str, Meta(min_length=1, max_length=1024)]

Variable = Annotated[str, Meta(min_length=1)]
"""An environment variable."""

Credential = Annotated[str, checked(credential_problem)]
"""The name of a service manager's credential."""
