"""Features of MQTT 5 only: session expiry, receive maximum, and payload properties."""

from __future__ import annotations

from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.shell.link.link_options import EventProperties, LinkOptions

SESSION_EXPIRY_S = 7 * 86_400


def session(client: Client, options: LinkOptions) -> dict[str, Any]:
    """Arguments of `connect()` for the session, besides those of MQTT 3.1.1."""
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0 if options.clean_session else SESSION_EXPIRY_S
    properties.ReceiveMaximum = options.receive_maximum
    return {"clean_start": options.clean_session, "properties": properties}


def properties_of(client: Client, given: EventProperties | None) -> Properties | None:
    """The properties of a publication; None with MQTT 3.1.1."""
    if given is None or client.protocol != MQTTProtocolVersion.MQTTv5:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ContentType = given.content_type
    properties.PayloadFormatIndicator = 1
    properties.UserProperty = list(given.user)
    return properties
