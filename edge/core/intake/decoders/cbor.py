"""Payloads that are CBOR: what JSON could say, in fewer bytes. Needs the extra `cbor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edge.core.intake.decoders.documents.cbor_item import read_cbor
from edge.core.intake.decoders.documents.text_keys import with_text_keys
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.model.sensors.sensors import Repetition


@dataclass(frozen=True)
class CborDecoder(FieldsDecoder):
    """Reads numbers out of CBOR, as `FieldsDecoder` does out of JSON.

    Keys that are whole numbers or bytes count as texts. CBOR's own times (tags 0 and 1) are times where a time is
    due. Big numbers and fractions (tags 2 to 5) are numbers; bytes, and what other tags say, are not.

    Repetition: periodic. Time: the first of the time keys in the object, or in one around it, else of
    arrival. Retained: refused without a time.
    """

    name: ClassVar[str] = "cbor"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def read(self, payload: bytes) -> Any:
        """See `FieldsDecoder`."""
        return with_text_keys(read_cbor(payload, "cbor"), self.depth + 1)
