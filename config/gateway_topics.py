"""Gateway topics: the topics that belong to gateways, and the filters that name them explicitly.

A filter such as `#` also delivers the publications of other gateways on the broker. They are read only if a filter
names them, `edgewarden/gw2/health`, `edgewarden/gw2/#`, `edgewarden/+/health`; otherwise two gateways would take each
other's health for sensors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from config.tables.homeassistant import PREFIX

PLACEHOLDER = "{gateway}"
USUAL_BASE = f"edgewarden/{PLACEHOLDER}"

SINGLE = ("status", "health", "open", "gap", "deadletter", "shelved", "result")
"""Topics directly below a gateway's base."""

WITH_MORE = ("anomaly", "state", "command")
"""Topics followed by a sensor's name or a command."""

_NAME = r"[A-Za-z0-9_-]{1,64}"
_BELOW = f"(?:{'|'.join(SINGLE)}|(?:{'|'.join(WITH_MORE)})/.+)"

_DESCRIPTIONS = (
    (re.compile(r"tasmota/discovery/[^/]+/(?:config|sensors)"), "a device of Tasmota"),
    (re.compile(r"esphome/discover/[^/]+"), "a device of ESPHome"),
    (re.compile(r"shellies/announce"), "devices of Shelly"),
)
"""Topics on which devices describe themselves, besides those of Home Assistant's discovery."""


class _Base(NamedTuple):
    """The topics of gateways: their pattern, and the levels of the base."""

    pattern: re.Pattern[str]
    levels: list[str]


class GatewayTopics:
    """The topics of gateways with a similar base or the default base.

    Args:
        base: This gateway's base, with `{gateway}` for the name. In a base without it, a level equal to the name
            matches any.
        name: Name of this gateway.
        discovery: Home Assistant's discovery prefix, below which gateways announce sensors; no filter reads those
            topics.
    """

    def __init__(self, base: str, name: str, discovery: str = PREFIX) -> None:
        if PLACEHOLDER not in base:
            base = "/".join(PLACEHOLDER if level == name else level for level in base.split("/"))
        self._discovery = re.compile(rf"{re.escape(discovery)}/device/edgewarden_[A-Za-z0-9_-]+/config")
        self._announcements = re.compile(rf"{re.escape(discovery)}/[a-z_]+/(?:[A-Za-z0-9_-]+/){{1,2}}config")
        self._bases = [_base(each) for each in dict.fromkeys((base, USUAL_BASE)) if PLACEHOLDER in each]

    def has(self, topic: str) -> bool:
        """Whether a topic belongs to this or another gateway."""
        return any(base.pattern.fullmatch(topic) for base in self._bases) or bool(self._discovery.fullmatch(topic))

    def announces(self, topic: str) -> str:
        """What a topic describes that is for descriptions of devices and holds no readings; empty for any other."""
        if self._announcements.fullmatch(topic) is not None:
            return "a device to Home Assistant"
        return next((what for pattern, what in _DESCRIPTIONS if pattern.fullmatch(topic) is not None), "")

    def asks(self, wanted: Sequence[str], topic: str | None = None) -> bool:
        """Whether a filter asks for gateways' topics explicitly, by the base and the gateway or kind of topic.

        Args:
            wanted: Levels of the filter.
            topic: The gateway's topic that the filter matches; None for any.
        """
        return any(_asks(wanted, base.levels) for base in self._bases if topic is None or base.pattern.fullmatch(topic))


def _base(base: str) -> _Base:
    pattern = re.escape(base).replace(re.escape(PLACEHOLDER), _NAME)
    return _Base(re.compile(f"{pattern}/{_BELOW}", re.DOTALL), base.split("/"))


def _asks(wanted: Sequence[str], base: Sequence[str]) -> bool:
    if len(wanted) <= len(base) and wanted[-1] != "#":
        return False
    padded = [*(level for level in wanted if level != "#"), *["+"] * (len(base) + 1)]
    if any(mine != level for mine, level in zip(padded, base, strict=False) if PLACEHOLDER not in level):
        return False
    names_gateway = any(mine != "+" for mine, level in zip(padded, base, strict=False) if PLACEHOLDER in level)
    return names_gateway or padded[len(base)] in {*SINGLE, *WITH_MORE}
