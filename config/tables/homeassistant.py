"""The table `[homeassistant]`: MQTT discovery for Home Assistant."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config.notation.topics import base_problem, glob_problem
from config.tables.fields import Table, checked, refuse

PREFIX = "homeassistant"
"""Home Assistant's own default."""


def _page_url(url: str) -> str:
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

    enabled: bool = Field(True, description="Publish discovery messages; false removes all that were published")
    prefix: Annotated[str, checked(base_problem)] = Field(PREFIX, description="Home Assistant's discovery prefix")
    birth_topic: Annotated[str, checked(base_problem)] | None = Field(
        None, description="Home Assistant's birth topic; by default the prefix and /status"
    )
    birth_payload: str = Field("online", min_length=1, max_length=1000, description="Payload of the birth message")
    sensors: tuple[Annotated[str, checked(glob_problem)], ...] = Field(
        ("**",), strict=False, min_length=1, max_length=1000, description="Globs of the sensors to announce"
    )
    most_sensors: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="Maximum number of sensors and devices to announce, in the order in which they were found",
    )
    events: bool = Field(True, description="Whether a sensor has an event entity in addition to its problem sensor")
    url: Annotated[str, AfterValidator(_page_url)] | None = Field(
        None, max_length=2048, description="Address of the page in a browser, which the gateway's device links to"
    )

    @property
    def hears(self) -> str:
        """The topic on which Home Assistant reports its start."""
        return self.birth_topic or f"{self.prefix}/status"
