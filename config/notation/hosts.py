"""The host of a broker: a name or an address, without any part of a URL."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

ENCRYPTED = frozenset({"mqtts", "ssl", "tls", "mqtt+ssl"})
WEB_SOCKETS = frozenset({"ws", "wss"})

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)")
_PLACE = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(:(?P<port>\d{1,5}))?/?")
_NAME = re.compile(r"[^\[\]:/@?#\s]+")


def host_problem(host: str) -> str | None:
    """The problem with the name or address of a broker and what to write instead, or None.

    Text before an @ is never quoted, because it may be a password.
    """
    if _NAME.fullmatch(host) or _is_ipv6(host):
        return None
    url = _URL.fullmatch(host)
    scheme = url["scheme"].lower() if url else ""
    rest = url["rest"] if url else host
    if scheme in WEB_SOCKETS:
        return "must be a name or an address: MQTT over web sockets isn't supported; give the broker's MQTT port"
    user, _, rest = rest.rpartition("@")
    place = _PLACE.fullmatch(rest)
    if place is None:
        return "must be a name or an address, such as mqtt.local or 192.168.1.5, and nothing else"
    parts = [f'host = "{place["name"].strip("[]")}"']
    if place["port"]:
        parts.append(f"port = {place['port']}")
    if user:
        parts.append("username and password_file for the part before the @")
    if scheme in ENCRYPTED:
        parts.append("a tls table")
    last = parts.pop()
    return f"must be a name or an address: write {', '.join(parts) + ' and ' if parts else ''}{last}"


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
