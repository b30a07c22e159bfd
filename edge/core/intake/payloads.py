"""Payloads: decodes a message according to its route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.intake.decoders.sparkplug import SparkplugDecoder
from edge.core.intake.sparkplug.session import Session
from edge.core.model.readings.messages import Refused

if TYPE_CHECKING:
    from edge.core.intake.decoders.base import Decoded
    from edge.core.intake.routes import Resolved
    from edge.core.model.readings.messages import Message


class Payloads:
    """Decodes payloads of all formats.

    Args:
        most_bytes: Maximum size of a payload.

    Attributes:
        sparkplug: State of the Sparkplug nodes, needed to decode later messages.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.sparkplug = Session()

    def read(self, message: Message, resolved: Resolved) -> Decoded:
        """The contents of a message; see `put_back()`.

        Raises:
            Refused: Nothing in it can be used.
        """
        payload, route = message.payload, resolved.route
        decoder = route.decoder
        if type(decoder) is SparkplugDecoder:
            if len(payload) > self._most_bytes:
                raise Refused("too_large", f"{len(payload)} bytes")
            return self.sparkplug.read(message, decoder)
        if not payload:
            raise Refused("empty")
        if len(payload) > self._most_bytes:
            raise Refused("too_large", f"{len(payload)} bytes")
        if message.content_type:
            decoder = route.decoder_for(message.content_type)
        decoded = decoder.decode(payload, message.arrived)
        if message.retained and not (route.time_from_payload and decoded.says_its_times()):
            raise Refused("retained")
        return decoded

    def put_back(self, resolved: Resolved) -> None:
        """Discard the effects of the last message, which will be read again."""
        if isinstance(resolved.route.decoder, SparkplugDecoder):
            self.sparkplug.put_back()
