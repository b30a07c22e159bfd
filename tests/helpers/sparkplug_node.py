"""An edge node that writes its messages with Google's protobuf library, as specified."""

from __future__ import annotations

from typing import Any

from sparkplug_schema import CLASSES

from edge.core.model.readings.messages import Message

AT = 1_700_000_000.0
INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING = range(1, 13)

_FIELDS = {
    **dict.fromkeys((INT8, INT16, INT32, UINT8, UINT16, UINT32), "int_value"),
    **dict.fromkeys((INT64, UINT64), "long_value"),
    FLOAT: "float_value",
    DOUBLE: "double_value",
    BOOLEAN: "boolean_value",
    STRING: "string_value",
}


def metric(
    value: float | str | None = None, datatype: int | None = DOUBLE, *, of: int = DOUBLE, unit: str = "", **more: Any
) -> dict[str, Any]:
    """A metric: its value, its datatype as sent (or `of`, if it isn't sent), its unit, and other fields."""
    fields = dict(more)
    kind = of if datatype is None else datatype
    if datatype is not None:
        fields["datatype"] = datatype
    if value is None:
        fields.setdefault("is_null", True)
    elif isinstance(value, str):
        fields["string_value"] = value
    else:
        bits = {"int_value": 2**32, "long_value": 2**64}.get(_FIELDS[kind])
        fields[_FIELDS[kind]] = value if bits is None else int(value) % bits
    if unit:
        fields["properties"] = {"keys": ["engUnit"], "values": [{"type": STRING, "string_value": unit}]}
    return fields


def payload(metrics: list[dict[str, Any]], **more: Any) -> bytes:
    """The bytes of a payload."""
    encoded: bytes = CLASSES["Payload"](metrics=metrics, **more).SerializeToString()
    return encoded


class EdgeNode:
    """A node whose messages carry times and sequence numbers.

    Attributes:
        now: The time of its next message, seconds since the epoch; each takes a second.
        sequence: The number of its next message.
        bd_seq: Of its next birth.
    """

    def __init__(self, name: str = "line1", group: str = "plant1") -> None:
        self.group, self.name = group, name
        self.now, self.sequence, self.bd_seq = AT, 0, 0

    def nbirth(self, *metrics: dict[str, Any]) -> Message:
        """Its birth certificate."""
        self.sequence = 0
        own = [
            metric(self.bd_seq, UINT64, name="bdSeq"),
            metric(False, BOOLEAN, name="Node Control/Rebirth"),
        ]
        return self.message("NBIRTH", *own, *metrics)

    def ndeath(self) -> Message:
        """Its will: no sequence number."""
        return self._sent("NDEATH", payload([metric(self.bd_seq, UINT64, name="bdSeq")]), "")

    def message(self, kind: str, *metrics: dict[str, Any], device: str = "", **more: Any) -> Message:
        """Any other message, numbered."""
        at = int(self.now * 1000)
        said = [{"timestamp": at, **each} for each in metrics]
        sent = payload(said, **{"timestamp": at, "seq": self.sequence, **more})
        self.sequence = (self.sequence + 1) % 256
        return self._sent(kind, sent, device)

    def lose(self, messages: int = 1) -> None:
        """Messages are lost on the way."""
        self.sequence = (self.sequence + messages) % 256

    def _sent(self, kind: str, sent: bytes, device: str) -> Message:
        topic = f"spBv1.0/{self.group}/{kind}/{self.name}"
        message = Message(f"{topic}/{device}" if device else topic, sent, self.now)
        self.now += 1.0
        return message
