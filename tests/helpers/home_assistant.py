"""A small Home Assistant: processes discovery messages, follows their topics, and complains like the real one."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import voluptuous as vol
from home_assistant_rules import CONFIG_TOPIC, LONGEST_STATE, TEMPLATES, components_of
from running import Consumer
from voluptuous.humanize import humanize_error

from edge.core.intake.routes import match


@dataclass
class Entity:
    """An entity as Home Assistant shows it; its state is `unknown` at first."""

    component: str
    config: dict[str, Any]
    device: dict[str, Any]
    state: str = "unknown"
    attributes: dict[str, Any] = field(default_factory=dict)
    happened: list[dict[str, Any]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.config["name"]


class HomeAssistant:
    """Discovers entities on a broker.

    Args:
        port: The broker's.
        prefix: Its discovery prefix.

    Attributes:
        entities: By unique id.
        discoveries: Number of messages on a topic that weren't empty.
        complaints: Everything that the real one would log as a warning or an error.
    """

    def __init__(self, port: int, prefix: str = "homeassistant") -> None:
        self.entities: dict[str, Entity] = {}
        self.discoveries: dict[str, int] = {}
        self.complaints: list[str] = []
        self._prefix = prefix
        self._of_topic: dict[str, list[str]] = {}
        self._latest: dict[str, bytes] = {}
        self._read = 0
        self.consumer = Consumer(port, "#")

    def started(self, payload: str = "online", topic: str | None = None) -> None:
        """Publish its birth message, as it does after a restart."""
        self.consumer.publish(topic or f"{self._prefix}/status", payload, qos=0)

    def look(self) -> dict[str, Entity]:
        """Process received messages; returns the entities by their visible names: `Device: Entity (component)`."""
        messages = self.consumer.poll()
        new, self._read = messages[self._read :], len(messages)
        for topic, payload, retained in new:
            if topic.startswith(f"{self._prefix}/"):
                self._discover(topic, payload)
                continue
            self._latest[topic] = payload
            for each in self.entities.values():
                self._deliver(each, topic, payload, retained=retained)
        return {f"{each.device['name']}: {each.name} ({each.component})": each for each in self.entities.values()}

    def close(self) -> None:
        self.consumer.close()

    def is_available(self, entity: Entity) -> bool:
        """Whether it is available according to its availability topic."""
        for each in entity.config.get("availability", []):
            payload = self._latest.get(each["topic"])
            if payload is None or self._render(each["value_template"], payload) != each["payload_available"]:
                return False
        return True

    def _discover(self, topic: str, payload: bytes) -> None:
        if not topic.endswith("/config"):
            return
        found = CONFIG_TOPIC.fullmatch(topic.removeprefix(f"{self._prefix}/"))
        if found is None or found["component"] != "device":
            self.complaints.append(f"illegal discovery topic {topic}")
            return
        components: dict[str, dict[str, Any]] = {}
        device: dict[str, Any] = {}
        if payload:
            self.discoveries[topic] = self.discoveries.get(topic, 0) + 1
            message = json.loads(payload)
            try:
                components, device = components_of(message), message["device"]
            except vol.Invalid as error:
                self.complaints.append(f"{topic}: {humanize_error(message, error)}")
                return
        before = self._of_topic.pop(topic, [])
        self._of_topic[topic] = [each["unique_id"] for each in components.values()]
        for gone in {*before} - {*self._of_topic[topic]}:
            del self.entities[gone]
        for config in components.values():
            identity = config["unique_id"]
            known = self.entities.get(identity)
            if known is not None and identity not in before:
                self.complaints.append(f"{topic}: {identity} isn't unique")
                continue
            entity = Entity(config["platform"], config, device)
            if known is not None:
                entity.state, entity.attributes, entity.happened = known.state, known.attributes, known.happened
            self.entities[identity] = entity
            for kept, latest in self._latest.items():
                self._deliver(entity, kept, latest, retained=True)

    def _deliver(self, entity: Entity, topic: str, payload: bytes, *, retained: bool) -> None:
        config, levels = entity.config, topic.split("/")
        if match(config["state_topic"].split("/"), levels) is not None:
            said = self._render(config["value_template"], payload)
            if entity.component == "event":
                self._happen(entity, said, retained=retained)
            elif said.strip():
                self._set(entity, said)
        if config.get("json_attributes_topic") == topic:
            attributes = json.loads(self._render(config["json_attributes_template"], payload))
            if not isinstance(attributes, dict):
                self.complaints.append(f"{topic}: attributes are no object")
            entity.attributes = attributes

    def _set(self, entity: Entity, said: str) -> None:
        if len(said) > LONGEST_STATE:
            self.complaints.append(f"{entity.name}: the state is too long")
        if entity.component == "binary_sensor" and said not in {"ON", "OFF", "None"}:
            self.complaints.append(f"{entity.name}: no matching payload found: {said}")
            return
        entity.state = "unknown" if said == "None" else said
        if entity.config.get("state_class") and said != "None":
            float(said)

    def _happen(self, entity: Entity, said: str, *, retained: bool) -> None:
        if retained or said in {"", "{}"}:
            return
        event = json.loads(said)
        if event.get("event_type") not in entity.config["event_types"]:
            self.complaints.append(f"{entity.name}: invalid event type {event}")
        entity.happened.append(event)

    @staticmethod
    def _render(text: str, payload: bytes) -> str:
        known: dict[str, Any] = {"value": payload.decode()}
        with contextlib.suppress(json.JSONDecodeError):
            known["value_json"] = json.loads(payload)
        return TEMPLATES.from_string(text).render(known)
