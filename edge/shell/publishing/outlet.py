"""The part of a link that the publisher uses."""

from __future__ import annotations

from typing import Protocol

from edge.shell.link import EventProperties, RefusedPublication
from edge.shell.link.sending.delivery_check import EchoLink


class Outlet(EchoLink, Protocol):
    """The part of a link that the publisher uses."""

    @property
    def connected(self) -> bool:
        """Whether anything can be sent."""

    @property
    def closed_by_broker(self) -> str:
        """Why the broker has closed the last connection that has ended, in words; empty if it wasn't the broker."""

    def closing_explained(self) -> None:
        """Record that the broker closes connections because of what is published."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Send; returns a token, or None if that can't be done now."""

    def confirmations(self) -> list[int]:
        """Tokens whose PUBACK has come."""

    def refusals(self) -> list[RefusedPublication]:
        """Tokens whose PUBACK says that the broker refuses them, and why."""
