"""Messages, batches of readings, and dead letters for refused data.

`Reading` objects exist only at the system's boundaries. Internally a `Batch` holds many readings as arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

NO_CONNECTION = 0
"""Connection number of a message generated internally."""


class Message(NamedTuple):
    """An MQTT message as received.

    Attributes:
        topic: The topic it was published to.
        payload: Payload as received.
        arrived: Time of arrival, in seconds since the epoch, UTC.
        retained: Whether the broker had retained it, so that it is old.
        qos: Quality of service of the delivery, 0 to 2.
        receipt: Number of the connection that delivered it, for its acknowledgement; `NO_CONNECTION` if there is none.
        packet: MQTT packet identifier; 0 for QoS 0.
        redelivered: Whether the broker has set the DUP flag because it may have delivered it before.
        content_type: The MQTT 5 content type set by its sender; empty if there is none.
        is_copy: Whether the broker delivers it once more, as several filters match its topic.
    """

    topic: str
    payload: bytes
    arrived: float
    retained: bool = False
    qos: int = 0
    receipt: int = NO_CONNECTION
    packet: int = 0
    redelivered: bool = False
    content_type: str = ""
    is_copy: bool = False


class Reading(NamedTuple):
    """One value of one sensor at one time (seconds since the epoch, UTC)."""

    sensor: str
    time: float
    value: float


class Sample(NamedTuple):
    """A value at a path of a payload, and its time if the payload contains one.

    Attributes:
        path: Path of the value in the payload, such as `BME280/Temperature`; empty if the payload is the value.
        value: A finite number.
        time: Seconds since the epoch, UTC, or None if the payload has no time.
    """

    path: str
    value: float
    time: float | None


class Row(Sequence[Sample]):
    """Samples as columns, which are processed together if their sensors are known.

    Args:
        paths: Paths of their values in the payload.
        values: Their values, finite.
        times: Seconds since the epoch, UTC, finite, or None if the payload contains none.
    """

    __slots__ = ("paths", "times", "values")

    def __init__(self, paths: tuple[str, ...], values: list[float], times: list[float] | None) -> None:
        self.paths = paths
        self.values = values
        self.times = times

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return list(self)[index]
        return Sample(self.paths[index], self.values[index], None if self.times is None else self.times[index])


class Refusal(NamedTuple):
    """The reason why something was refused.

    Attributes:
        reason: A key of `REASONS`, by which refusals are counted.
        path: Path of the fault in the payload; empty for the payload as a whole.
        detail: A short explanation for people; never the payload itself.
    """

    reason: str
    path: str = ""
    detail: str = ""


class Refused(Exception):  # noqa: N818 - the word of the domain
    """A decoder can't read a payload at all. Carries the refusal, and the paths without a value."""

    def __init__(self, reason: str, detail: str = "", path: str = "", absent: Sequence[str] = ()) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.refusal = Refusal(reason, path, detail)
        self.absent = absent


REASONS: dict[str, str] = {
    "empty": "the payload has no bytes",
    "too_large": "the payload is larger than limits.payload_bytes",
    "malformed": "the payload doesn't match the input's format",
    "not_utf8": "the payload isn't UTF-8 text",
    "too_deep": "objects are nested deeper than limits.depth",
    "too_many_readings": "one message holds more readings than limits.readings_per_message",
    "no_value": "there is no number in the payload",
    "not_a_number": "a string, boolean, null or list instead of a number",
    "odd_number": "a text contains a number in a notation that the input doesn't allow",
    "other_unit": "the value has a unit that can't be converted to that of its sensor",
    "no_sender": "the payload doesn't identify the sensor, or which of several",
    "unknown_word": "not one of the configured states of a device's availability",
    "name_clash": "another topic or field already has a sensor of this name",
    "not_finite": "NaN, an infinity, or a number too large for a float",
    "bad_time": "the time can't be read, or its zone isn't known",
    "time_implausible": "the time lies before limits.earliest, as of a clock that was never set",
    "time_in_future": "the time lies further ahead than limits.future_s",
    "late": "the sensor has already sent a later reading",
    "duplicate": "the sensor has already sent a reading of this time",
    "crowded_time": "the sensor has already sent 256 readings of this time",
    "retained": "the message was retained by the broker, and its age is unknown",
    "too_many_sensors": "limits.sensors are known already",
    "bad_name": "the topic gives no usable sensor name",
    "no_route": "no input's topic matches",
    "sink_refused": "a sink will never accept this event; the path is the sink's name",
    "no_birth": "data of a Sparkplug node or device whose birth certificate hasn't been received",
    "unknown_alias": "the birth certificate of a Sparkplug node or device has no metric with this alias",
    "alias_clash": "two metrics of a Sparkplug birth certificate have one alias",
    "historical": "the value is historical, and the Sparkplug node has already sent newer ones",
    "stale_death": "the Sparkplug node has been born again since the session that this death certificate belongs to",
    "too_many_metrics": "the birth certificates of all Sparkplug nodes exceed the memory reserved for them",
}
"""All reasons for a refusal, with their meaning."""


@dataclass(slots=True)
class DeadLetter:
    """A refused message, or part of one: origin, reason, and the beginning of the payload.

    Texts of letters created by `of()` are valid Unicode, whatever the sender wrote.

    Attributes:
        topic: Topic of the message, truncated to 1,024 characters.
        arrived: Time of arrival, in seconds since the epoch, UTC.
        refusal: Why it was refused.
        beginning: The first bytes of the payload, at most 256.
        size: Size of the whole payload in bytes.
    """

    topic: str
    arrived: float
    refusal: Refusal
    beginning: bytes
    size: int

    @classmethod
    def of(cls, message: Message, refusal: Refusal) -> DeadLetter:
        """The dead letter of a message."""
        shown = Refusal(refusal.reason, _utf8(refusal.path), _utf8(refusal.detail))
        return cls(_utf8(message.topic[:1024]), message.arrived, shown, message.payload[:256], len(message.payload))


def as_message(reading: Reading) -> Message:
    """A message that represents a reading decoded elsewhere in its dead letter."""
    return Message(reading.sensor, repr(reading.value).encode(), reading.time)


def _utf8(text: str) -> str:
    """The text without lone surrogates, which some senders write and which can't be stored."""
    return text.encode("utf-8", "replace").decode()


def _no_index() -> NDArray[np.intp]:
    return np.empty(0, dtype=np.intp)


def _no_float() -> NDArray[np.float64]:
    return np.empty(0, dtype=np.float64)


@dataclass(slots=True)
class Batch:
    """Many readings as arrays of shape (n,), in order of arrival.

    Attributes:
        slots: Row of each reading's sensor in the sensor table.
        values: Values, finite.
        times: Seconds since the epoch, UTC.
        origins: Index of each reading's message within the step.
        quiet_until: For a recording, the stream clock up to which time had passed before each reading arrived, minus
            infinity if none had, see `pauses.py`. None for a live batch, where `Pipeline.tick()` provides it.
    """

    slots: NDArray[np.intp] = field(default_factory=_no_index)
    values: NDArray[np.float64] = field(default_factory=_no_float)
    times: NDArray[np.float64] = field(default_factory=_no_float)
    origins: NDArray[np.intp] = field(default_factory=_no_index)
    quiet_until: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.slots)

    def quiet_times(self, first: int | None = None) -> list[float]:
        """`quiet_until` of the first readings, or of all; minus infinity if unknown."""
        if self.quiet_until is None:
            return [-math.inf] * len(self.slots[:first])
        times: list[float] = self.quiet_until[:first].tolist()
        return times

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Batch:
        """The readings selected by a mask or an index, in order."""
        quiet = None if self.quiet_until is None else self.quiet_until[chosen]
        return Batch(self.slots[chosen], self.values[chosen], self.times[chosen], self.origins[chosen], quiet)
