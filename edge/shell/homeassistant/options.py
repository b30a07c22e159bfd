"""The configuration of discovery for Home Assistant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HomeAssistantOptions:
    """The settings of discovery for Home Assistant.

    Attributes:
        gateway: The gateway's name.
        version: Ours.
        enabled: Whether discovery messages are published; if not, published ones are cleared.
        prefix: Its discovery prefix.
        birth: The payload of its birth topic after it has started.
        sensors: Globs of the sensors to announce.
        most: So many sensors and devices at most.
        events: Whether a sensor has an event entity.
        url: Address of the page in a browser; empty for none.
    """

    gateway: str
    version: str = ""
    enabled: bool = True
    prefix: str = "homeassistant"
    birth: bytes = b"online"
    sensors: tuple[str, ...] = ("**",)
    most: int = 1000
    events: bool = True
    url: str = ""
