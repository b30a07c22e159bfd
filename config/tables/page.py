"""The table `[page]`: the address of the live page, and who may open it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Annotated, Any

from msgspec import Meta

from config.tables.common.fields import FieldPlace, ReadableFile, Table, checked, checks, refuse
from config.tables.transport import LOOPBACK

PORT = 8790

EXTRA = "page"
MODULES = ("prometheus_client", "starlette", "uvicorn")
"""The modules installed by the extra."""

_LONGEST_NAME = 253


def is_local(address: str) -> bool:
    """Whether an address is reachable only from this machine."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address in LOOPBACK


def _address_problem(address: str) -> str | None:
    if address in LOOPBACK:
        return None
    try:
        ip_address(address)
    except ValueError:
        return "must be an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
    return None


def _name_problem(name: str) -> str | None:
    if len(name) <= _LONGEST_NAME and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", name):
        return None
    return "must be a host name without a port, such as edgewarden.example.com"


class Page(Table):
    """The live page in a browser, with the metrics for Prometheus; the table's presence turns it on."""

    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port; 0 selects a free one, which is logged at the start")
    ] = PORT
    bind: Annotated[
        str,
        checked(_address_problem),
        Meta(description="Address to listen on; any but a loopback address requires password_file"),
    ] = "127.0.0.1"
    password_file: Annotated[
        ReadableFile | None, Meta(description="File of the page's passwords, written by `edgewarden page-password`")
    ] = None
    hosts: Annotated[
        tuple[Annotated[str, checked(_name_problem)], ...],
        Meta(
            max_length=20, description="Host names by which browsers reach the page, in addition to this machine's own"
        ),
    ] = ()

    @classmethod
    def completed(cls, keys: Mapping[str, Any]) -> Mapping[str, Any]:
        """The keys as they are, if the page can be served."""
        if all(find_spec(each) for each in MODULES):
            return keys
        raise refuse(f"needs the extra {EXTRA}: pip install 'edgewarden[{EXTRA}]'")

    @staticmethod
    @checks("password_file", absent=True)
    def _others_need_a_password(value: object, place: FieldPlace) -> object:
        bind = place.earlier.get("bind")
        if value is None and bind is not None and not is_local(bind):
            raise refuse(f"must be given where bind is {bind}: others could silence alarms; see docs/howto/page.md")
        return value
