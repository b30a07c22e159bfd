"""The part of a link that the publisher uses."""

from __future__ import annotations

from typing import Protocol

from edge.shell.link.link_options import EventProperties
from edge.shell.link.sending.delivery_check import EchoLink
from edge.shell.link.sending.sender import RefusedPublication


class Outlet(EchoLink, Protocol):
    """The part of a link that the publisher uses."""

    @property
    def connected(self) -> bool:
        """Whether it is possible to send."""

    @property
    def closed_by_broker(self) -> str:
        """Why the broker closed the last connection, in words; empty if it didn't."""

    def closing_explained(self) -> None:
        """Record that the broker closes connections because of publications."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Send; returns a token, or None if that isn't possible now."""

    def confirmations(self) -> list[int]:
        """Tokens whose PUBACK has arrived."""

    def refusals(self) -> list[RefusedPublication]:
        """Publications refused by the broker, with its reason."""
