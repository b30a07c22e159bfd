"""CBOR payloads: the same data model as JSON in fewer bytes. Requires the extra `cbor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from edge.core.intake.decoders.documents.cbor_item import read_cbor
from edge.core.intake.decoders.documents.keys.text_keys import with_text_keys
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.model.sensors.sensors import Repetition


@dataclass(frozen=True)
class CborDecoder(FieldsDecoder):
    """Reads numbers from CBOR as `FieldsDecoder` does from JSON.

    Integer and byte-string keys are treated as text. CBOR times (tags 0 and 1) are accepted wherever a time is
    expected. Bignums and fractions (tags 2 to 5) are numbers; byte strings and other tags are not.

    Repetition: periodic. Time: the first of the time keys in the object, or in one around it, else of
    arrival. Retained: refused without a time.
    """

    name: ClassVar[str] = "cbor"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def read(self, payload: bytes) -> Any:
        """See `FieldsDecoder`."""
        return with_text_keys(read_cbor(payload, "cbor"), self.depth + 1)
