"""The configuration of Home Assistant discovery."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HomeAssistantOptions:
    """Settings of Home Assistant discovery.

    Attributes:
        gateway: The gateway's name.
        version: Version of Edgewarden.
        enabled: Whether discovery messages are published; if not, published ones are cleared.
        prefix: Home Assistant's discovery prefix.
        birth: The payload of Home Assistant's birth topic after a start.
        sensors: Globs of the sensors to announce.
        most: Maximum number of sensors and devices.
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
