"""Additional receivers of the demo's events: converts a URL to a `[[sink]]` table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

FORMS = "kafka://HOST:PORT/TOPIC, amqp://HOST/VHOST, mqtt://HOST:PORT, http://... or https://..."


class SinkUrlError(Exception):
    """A URL isn't a supported sink."""


def sink_tables(urls: Sequence[str]) -> str:
    """The tables of sinks in TOML; each receives all events from the beginning.

    Raises:
        SinkUrlError: A URL isn't supported.
    """
    return "".join(_table(number, url) for number, url in enumerate(urls, 1))


def _table(number: int, url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    topic = unquote(parts.path[1:])
    keys: dict[str, str] = {}
    if parts.scheme == "kafka" and topic:
        keys = {"kind": '"kafka"', "brokers": f"[{_text(f'{host}:{port or 9092}')}]", "topic": _text(topic)}
    elif parts.scheme in {"amqp", "amqps"}:
        keys = {"kind": '"rabbitmq"', "url": _text(url)}
    elif parts.scheme in {"http", "https"}:
        keys = {"kind": '"webhook"', "url": _text(url)}
    elif parts.scheme == "mqtt":
        keys = {"kind": '"mqtt"', "host": _text(host), "port": str(port or 1883)}
    if not keys or not host:
        raise SinkUrlError(f"{url!r} isn't a sink; it is {FORMS}")
    keys |= {"name": f'"sink{number}"', "from": '"beginning"'}
    return "\n[[sink]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def _text(text: str) -> str:
    """Encode a string in TOML, whose escapes are those of JSON except for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
