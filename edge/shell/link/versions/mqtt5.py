"""Features of MQTT 5 only: session expiry, receive maximum, identifiers of subscriptions, and payload properties."""

from __future__ import annotations

from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.shell.link.link_options import EventProperties, LinkOptions, Subscription

SESSION_EXPIRY_S = 7 * 86_400


def session(client: Client, options: LinkOptions) -> dict[str, Any]:
    """Arguments of `connect()` for the session in addition to those of MQTT 3.1.1."""
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0 if options.clean_session else SESSION_EXPIRY_S
    properties.ReceiveMaximum = options.receive_maximum
    return {"clean_start": options.clean_session, "properties": properties}


class PackedProperties(Properties):
    """The properties of a publication as bytes: paho's own cost more than the rest of it.

    Raises:
        ValueError: A text is too long, or isn't valid Unicode.
    """

    _packed: bytes

    def __init__(self, given: EventProperties) -> None:
        packed = b"\x01\x01\x03" + _text(given.content_type)  # the payload is text
        packed += b"".join(b"\x26" + _text(name) + _text(value) for name, value in given.user)
        object.__setattr__(self, "_packed", bytes(VariableByteIntegers.encode(len(packed))) + packed)  # type: ignore[no-untyped-call]

    def pack(self) -> bytes:
        """The bytes in the packet, with their length before them."""
        return self._packed


def _text(text: str) -> bytes:
    encoded = text.encode()
    return bytes(divmod(len(encoded), 256)) + encoded


def properties_of(client: Client, given: EventProperties | None) -> Properties | None:
    """The properties of a publication; None with MQTT 3.1.1."""
    return None if given is None or client.protocol != MQTTProtocolVersion.MQTTv5 else PackedProperties(given)


def takes_identifiers(client: Client, granted: Properties | None) -> bool:
    """Whether subscriptions may have identifiers, according to the broker's CONNACK."""
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        return False
    return bool(getattr(granted, "SubscriptionIdentifierAvailable", 1))


def identified_by(identifier: int) -> Properties:
    """The properties of a subscription with an identifier."""
    properties = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]
    properties.SubscriptionIdentifier = identifier
    return properties


def options_of(subscription: Subscription, *, again: bool) -> SubscribeOptions:
    """The options of a subscription; if it already exists, its retained messages aren't sent again."""
    handling = SubscribeOptions.RETAIN_SEND_IF_NEW_SUB if again else SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
    return SubscribeOptions(qos=subscription.qos, retainHandling=handling)


def identifiers_in(properties: Properties | None) -> list[int]:
    """The identifiers of the subscriptions that a message is for."""
    return list(getattr(properties, "SubscriptionIdentifier", ()))
