"""The discovery messages: Home Assistant entities for each sensor and for the gateway, reading the gateway's topics.

Each message describes one device with its entities. Each sensor has its own message, so that it can come and go
independently; Home Assistant merges messages for the same device.

Source: home-assistant.io, MQTT, "Device discovery payload" (2024.11 and later), `binary_sensor.mqtt`, `event.mqtt`,
`sensor.mqtt`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.printable import printable
from edge.core.model.notation.topics import Topics
from edge.core.model.sensors.sensors import is_device
from edge.shell.homeassistant.identifiers import identifier
from edge.shell.homeassistant.options import HomeAssistantOptions

LISTED = 20
"""Maximum number of open incidents listed by the gateway's entity."""

MAKER = "Edgewarden"

_ABOUT = """'message': d.message, 'severity': d.severity, 'kind': d.kind, 'incident': d.incident, 'value': d.value,
 'unit': d.unit, 'since': d.started"""

_IS_OPEN = "{% if value_json is defined %}{{ 'ON' if value_json.data is defined else 'OFF' }}{% endif %}"

_OF_THE_INCIDENT = f"""{{% if value_json is not defined %}}{{}}{{% elif value_json.data is not defined -%}}
{{{{ {{'since': value_json.since}} | to_json }}}}{{% else %}}{{% set d = value_json.data -%}}
{{{{ {{{_ABOUT}, 'level': value_json.severitytext, 'acknowledged': d.acknowledged,
 'shelved': d.shelved}} | to_json }}}}{{% endif %}}"""

_EVENT = f"""{{% set d = value_json.data -%}}
{{{{ {{'event_type': d.transition, 'sensor': value_json.subject, {_ABOUT}}} | to_json }}}}"""

_LIST = f"""{{% set found = namespace(all=[]) -%}}
{{% for each in value_json.incidents[:{LISTED}] %}}{{% set d = each.data -%}}
{{% set found.all = found.all + [{{'sensor': each.subject, {_ABOUT}}}] %}}{{% endfor -%}}
{{{{ {{'incidents': found.all}} | to_json }}}}"""

EVENT_TYPES = [each.value for each in Transition]


class Entities:
    """Creates the discovery messages of one gateway.

    Args:
        options: Settings of Home Assistant discovery.
        topics: This gateway's own topics.
    """

    def __init__(self, options: HomeAssistantOptions, topics: Topics) -> None:
        self._options = options
        self._topics = topics
        self._origin = {"name": MAKER, "sw_version": options.version}
        self._availability = {
            "topic": topics.status,
            "value_template": "{{ value_json.state }}",
            "payload_available": "online",
            "payload_not_available": "offline",
        }

    def config_topic(self, name: str = "") -> str:
        """The topic of the message for a sensor or device, or for the gateway if the name is empty."""
        return f"{self._options.prefix}/device/{identifier(self._options.gateway, name)}/config"

    def sensor(self, name: str, topic: str, device: str | None) -> bytes:
        """The message for a sensor, or for a device monitored as a whole.

        Args:
            name: Its name.
            topic: Its name as the end of a topic.
            device: The configured device that it belongs to; None to derive it from the name.
        """
        identity = identifier(self._options.gateway, name)
        above = name.rstrip("/") if is_device(name) else device if device is not None else name.rpartition("/")[0]
        own = "sensors together" if is_device(name) else name.removeprefix(f"{above}/")
        components = {"problem": self._problem(identity, printable(own), self._topics.state(topic))}
        if self._options.events:
            components["events"] = self._event(identity, f"{printable(own)} events", self._topics.anomaly(topic))
        return msgspec.json.encode(
            {
                "device": self._device(above) if above else self._gateway_device(),
                "origin": self._origin,
                "availability": [self._availability],
                "components": components,
            }
        )

    def gateway(self) -> bytes:
        """The message for the gateway: connection, open incidents of all sensors, backlog, and problems."""
        identity, topics = identifier(self._options.gateway), self._topics
        entities = {
            "connection": {
                "platform": "binary_sensor",
                "name": "Connection",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": topics.status,
                "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
            },
            "problems": {
                "platform": "binary_sensor",
                "name": "Problems",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": topics.health,
                "value_template": "{{ 'ON' if value_json.problems else 'OFF' }}",
                "json_attributes_topic": topics.health,
                "json_attributes_template": "{{ {'problems': value_json.problems} | to_json }}",
            },
            "backlog": {
                "platform": "sensor",
                "name": "Backlog",
                "icon": "mdi:tray-full",
                "state_class": "measurement",
                "entity_category": "diagnostic",
                "state_topic": topics.health,
                "value_template": "{{ value_json.backlog_events | default('None') }}",
            },
            "any": {
                "platform": "binary_sensor",
                "name": "Any incident",
                "device_class": "problem",
                "state_topic": topics.open,
                "value_template": "{{ 'ON' if value_json['count'] else 'OFF' }}",
            },
            "open": {
                "platform": "sensor",
                "name": "Open incidents",
                "icon": "mdi:alert-circle-outline",
                "state_class": "measurement",
                "state_topic": topics.open,
                "value_template": "{{ value_json['count'] }}",
                "json_attributes_topic": topics.open,
                "json_attributes_template": _LIST,
            },
            "events": self._event(identity, "Incident events", topics.anomaly("#")),
        }
        for key, each in entities.items():
            each |= {"unique_id": f"{identity}_{key}", "qos": 1}
            if key != "connection":  # which must announce that it is gone, and not be gone itself
                each["availability"] = [self._availability]
        return msgspec.json.encode({"device": self._gateway_device(), "origin": self._origin, "components": entities})

    def _problem(self, identity: str, name: str, topic: str) -> dict[str, Any]:
        return {
            "platform": "binary_sensor",
            "unique_id": f"{identity}_problem",
            "name": name,
            "device_class": "problem",
            "qos": 1,
            "state_topic": topic,
            "value_template": _IS_OPEN,
            "json_attributes_topic": topic,
            "json_attributes_template": _OF_THE_INCIDENT,
        }

    def _event(self, identity: str, name: str, topic: str) -> dict[str, Any]:
        return {
            "platform": "event",
            "unique_id": f"{identity}_events",
            "name": name,
            "icon": "mdi:alert-outline",
            "event_types": EVENT_TYPES,
            "qos": 1,
            "state_topic": topic,
            "value_template": _EVENT,
        }

    def _device(self, name: str) -> dict[str, Any]:
        gateway = self._options.gateway
        return {
            "identifiers": [identifier(gateway, f"{name}/")],
            "name": printable(name),
            "manufacturer": MAKER,
            "model": "Watched device",
            "via_device": identifier(gateway),
        }

    def _gateway_device(self) -> dict[str, Any]:
        options = self._options
        device = {
            "identifiers": [identifier(options.gateway)],
            "name": f"{MAKER} {options.gateway}",
            "manufacturer": MAKER,
            "model": "Gateway",
            "sw_version": options.version,
        }
        return device | ({"configuration_url": options.url} if options.url else {})
