"""The rules of Home Assistant for discovery messages, as its MQTT integration states them.

Source: home-assistant/core, homeassistant/components/mqtt: discovery.py, schemas.py, entity.py, binary_sensor.py,
sensor.py, event.py, util.py (2024.11 to 2026); home-assistant.io/integrations/mqtt.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

CONFIG_TOPIC = re.compile(r"(?P<component>\w+)/(?:(?P<node_id>[a-zA-Z0-9_-]+)/)?(?P<object_id>[a-zA-Z0-9_-]+)/config")
BINARY_SENSOR_CLASSES = {"problem", "connectivity"}
"""Those of its 28 that we use."""

LONGEST_STATE = 255

TEMPLATES = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
"""Undefined names are errors here; Home Assistant logs them as warnings."""


def _to_json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, allow_nan=False)


TEMPLATES.filters["to_json"] = _to_json


def template(text: Any) -> str:
    TEMPLATES.from_string(string(text))
    return text


def string(value: Any) -> str:
    if value is None or isinstance(value, list | dict):
        raise vol.Invalid("value should be a string")
    return str(value)


def topic(value: Any) -> str:
    """A topic, or a filter that may be subscribed to."""
    text = string(value)
    if not text or len(text.encode()) > 65_535:
        raise vol.Invalid("is empty or too long")
    for each in text:
        if each <= "\x1f" or "\x7f" <= each <= "\x9f":
            raise vol.Invalid("control characters")
        if "\ufdd0" <= each <= "\ufdef" or ord(each) & 0xFFFF in {0xFFFE, 0xFFFF}:
            raise vol.Invalid("non-characters")
    for level in (levels := text.split("/")):
        if level != "+" and "+" in level:
            raise vol.Invalid("a single-level wildcard must occupy an entire level")
        if "#" in level and (level != "#" or level is not levels[-1]):
            raise vol.Invalid("a multi-level wildcard must be the last level")
    return text


def url(value: Any) -> str:
    parts = urlsplit(string(value))
    if parts.scheme not in {"http", "https", "homeassistant"} or not parts.hostname:
        raise vol.Invalid("invalid configuration url")
    return value


def icon(value: Any) -> str:
    if ":" not in string(value):
        raise vol.Invalid("icons should be specified in the form 'prefix:name'")
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_identified(device: dict[str, Any]) -> dict[str, Any]:
    if not device.get("identifiers") and not device.get("connections"):
        raise vol.Invalid("a device must have at least one identifying value")
    return device


DEVICE = vol.All(
    vol.Schema(
        {
            vol.Optional("identifiers"): vol.All(_list, [string]),
            vol.Optional("connections"): vol.All(_list, [vol.All(vol.Length(2), [string])]),
            vol.Optional("configuration_url"): url,
            **{
                vol.Optional(key): string
                for key in (
                    "manufacturer",
                    "model",
                    "model_id",
                    "name",
                    "hw_version",
                    "serial_number",
                    "sw_version",
                    "via_device",
                    "suggested_area",
                )
            },
        }
    ),
    _is_identified,
)
ORIGIN = vol.Schema(
    {vol.Required("name"): string, vol.Optional("sw_version"): string, vol.Optional("support_url"): url}
)
AVAILABILITY = {
    vol.Optional("availability_mode"): vol.In(["all", "any", "latest"]),
    vol.Optional("availability"): vol.All(
        _list,
        [
            {
                vol.Required("topic"): topic,
                vol.Optional("payload_available", default="online"): string,
                vol.Optional("payload_not_available", default="offline"): string,
                vol.Optional("value_template"): template,
            }
        ],
    ),
}
COMMON = {
    **AVAILABILITY,
    vol.Required("platform"): string,
    vol.Required("unique_id"): string,
    vol.Optional("enabled_by_default", default=True): bool,
    vol.Optional("entity_category"): vol.In(["config", "diagnostic"]),
    vol.Optional("icon"): icon,
    vol.Optional("json_attributes_topic"): topic,
    vol.Optional("json_attributes_template"): template,
    vol.Optional("name"): vol.Any(None, string),
    vol.Optional("qos", default=0): vol.In([0, 1, 2]),
    vol.Optional("encoding", default="utf-8"): string,
    vol.Required("state_topic"): topic,
    vol.Optional("value_template"): template,
}
COMPONENTS = {
    "binary_sensor": vol.Schema(
        {
            **COMMON,
            vol.Optional("device_class"): vol.In(BINARY_SENSOR_CLASSES),
            vol.Optional("payload_on", default="ON"): string,
            vol.Optional("payload_off", default="OFF"): string,
        }
    ),
    "sensor": vol.Schema(
        {
            **COMMON,
            vol.Optional("state_class"): vol.In(["measurement", "total", "total_increasing"]),
            vol.Optional("unit_of_measurement"): string,
        }
    ),
    "event": vol.Schema({**COMMON, vol.Required("event_types"): vol.All(_list, [string])}),
}
DISCOVERY = vol.Schema(
    {
        **AVAILABILITY,
        vol.Required("device"): DEVICE,
        vol.Required("origin"): ORIGIN,
        vol.Required("components"): {str: vol.Schema({vol.Required("platform"): vol.In(COMPONENTS)}, extra=True)},
        vol.Optional("state_topic"): topic,
        vol.Optional("qos"): vol.In([0, 1, 2]),
        vol.Optional("encoding"): string,
    }
)
"""Extra keys are errors here; Home Assistant silently removes them from components."""

SHARED = ("availability", "availability_mode", "state_topic")
"""Keys that a component inherits from its message."""


def components_of(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The components of a device's discovery message, each checked and complete.

    Raises:
        vol.Invalid: A rule is broken.
    """
    checked = DISCOVERY(message)
    shared = {key: checked[key] for key in SHARED if key in checked}
    return {name: COMPONENTS[each["platform"]]({**shared, **each}) for name, each in checked["components"].items()}
