"""The end of a connection: why it ended, in words and as facts."""

from __future__ import annotations

from typing import NamedTuple

from paho.mqtt.client import error_string
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

SESSION_TAKEN_OVER = 0x8E

NOT_OUR_DOING = frozenset({0x00, 0x04, 0x89, 0x8B, 0x8D, 0x8E, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
"""DISCONNECT reasons that don't concern a publication: the server's own, the keepalive's, another client's."""


class ConnectionEnd(NamedTuple):
    """The end of a connection.

    Attributes:
        words: The reason in words.
        taken_over: Whether the broker reported that another client took over the session.
        by_broker: Whether the broker, or something on the way to it, closed it without a reason.
        for_reason: Whether the broker gave a reason that may concern a publication.
    """

    words: str
    taken_over: bool = False
    by_broker: bool = False
    for_reason: bool = False


def ending_of(reason: ReasonCode | None, error: OSError | None, code: MQTTErrorCode) -> ConnectionEnd:
    """The facts about the end of a connection.

    Args:
        reason: Reason of the broker's DISCONNECT, if it sent one.
        error: The error that ended reading from the socket, if any.
        code: Return code of paho's loop.
    """
    if reason is not None:
        is_taken_over = reason.value == SESSION_TAKEN_OVER
        return ConnectionEnd(str(reason), taken_over=is_taken_over, for_reason=reason.value not in NOT_OUR_DOING)
    if error is not None:
        is_closed = error.errno is None or isinstance(error, ConnectionResetError)
        return ConnectionEnd(error.strerror or str(error), by_broker=is_closed)
    # A loss without a read error was detected when writing to a connection closed by the broker.
    return ConnectionEnd(error_string(code).rstrip("."), by_broker=code == MQTTErrorCode.MQTT_ERR_CONN_LOST)
