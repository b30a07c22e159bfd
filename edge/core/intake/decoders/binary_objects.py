"""Binary objects: MessagePack and CBOR, the data model of JSON in fewer bytes. CBOR requires the extra `cbor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from edge.core.intake.decoders.documents.cbor_item import read_cbor
from edge.core.intake.decoders.documents.keys.msgpack_keys import has_other_keys
from edge.core.intake.decoders.documents.keys.text_keys import with_text_keys
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused
from edge.core.model.sensors.sensors import Repetition

LARGE = 32_768
"""Size in bytes from which the keys of a payload are scanned before decoding."""

_decode_msgpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True)
class MsgpackDecoder(FieldsDecoder):
    """Reads numbers from MessagePack as `FieldsDecoder` does from JSON.

    Integer and byte-string keys are treated as text. MessagePack timestamps (extension -1) are accepted wherever a time
    is expected; other extensions and byte strings aren't numbers.

    Repetition: periodic. Time: the first of the time keys in the object, or in one around it, else of
    arrival. Retained: refused without a time.
    """

    name: ClassVar[str] = "msgpack"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def read(self, payload: bytes) -> Any:
        """See `FieldsDecoder`."""
        if len(payload) > LARGE and has_other_keys(payload):
            raise Refused("malformed", instead("msgpack", payload) or "a key is neither a text nor a whole number")
        try:
            return with_text_keys(_decode_msgpack(payload), self.depth + 1)
        except RecursionError:
            raise Refused("too_deep") from None
        except UnicodeDecodeError:
            raise Refused("not_utf8", instead("msgpack", payload) or "a text or a key") from None
        except msgspec.MsgspecError as error:
            if not payload:
                raise Refused("empty") from None
            raise Refused("malformed", instead("msgpack", payload) or str(error)[:100]) from None


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
