"""The table `[homeassistant]`: MQTT discovery for Home Assistant."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from config.notation.topics import base_problem
from config.tables.common.fields import Checked, FieldPlace, Table, checked, refuse
from config.tables.common.texts import Glob

PREFIX = "homeassistant"
"""Home Assistant's own default."""


def _page_url(url: str, _: FieldPlace) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or not url.isascii() or not url.isprintable() or " " in url:
        raise refuse("must be a URL that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise refuse("must not contain a user or password, as every client of the broker can read it")
    return url


class HomeAssistantTable(Table):
    """MQTT discovery for Home Assistant; the table's presence turns it on."""

    enabled: Annotated[bool, Meta(description="Publish discovery messages; false removes all that were published")] = (
        True
    )
    prefix: Annotated[str, checked(base_problem), Meta(description="Home Assistant's discovery prefix")] = PREFIX
    birth_topic: Annotated[
        Annotated[str, checked(base_problem)] | None,
        Meta(description="Home Assistant's birth topic; by default the prefix and /status"),
    ] = None
    birth_payload: Annotated[str, Meta(min_length=1, max_length=1000, description="Payload of the birth message")] = (
        "online"
    )
    sensors: Annotated[
        tuple[Glob, ...], Meta(min_length=1, max_length=1000, description="Globs of the sensors to announce")
    ] = ("**",)
    most_sensors: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000,
            description="Maximum number of sensors and devices to announce, in the order in which they were found",
        ),
    ] = 1000
    events: Annotated[
        bool, Meta(description="Whether a sensor has an event entity in addition to its problem sensor")
    ] = True
    url: Annotated[
        Annotated[str, Checked(_page_url), Meta(max_length=2048)] | None,
        Meta(description="Address of the page in a browser, which the gateway's device links to"),
    ] = None

    @property
    def hears(self) -> str:
        """The topic on which Home Assistant reports its start."""
        return self.birth_topic or f"{self.prefix}/status"
