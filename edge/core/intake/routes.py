"""Routes: which topics are read, by which decoder, and how the sensors in them are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from config.notation.topics import filter_problem, placeholders, sender_of, template_problem, wildcards_of
from edge.core.intake.decoders.documents.options import Ignored
from edge.core.intake.decoders.documents.paths import OF, SLASH
from edge.core.intake.decoders.recognition.media_types import format_of
from edge.core.model.readings.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.gateway_topics import GatewayTopics
    from edge.core.intake.decoders.base import Decoder
    from edge.core.model.sensors.sensors import Repetition

LONGEST_NAME = 200
"""Bytes of a sensor's name."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_NO_FIELD = re.compile(r"^\{field\}[/._:-]?|[/._:-]?\{field\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Route:
    """One input.

    Attributes:
        filter: MQTT topic filter.
        template: Of the sensors' names: `{1}` is what the first wildcard stands for, `{topic}` the whole
            topic, `{field}` the path in the payload. Where that is empty, the separator before it vanishes
            too. `{payload.id}` is what the payload says of its sender, `{payload.id?}` where it says it.
        decoder: Reads the payloads.
        repetition: The meaning of a repeated value.
        time_from_payload: False if the time of arrival counts whatever the payload says.
        ignore_topics: Globs on topics that are left out; no later route reads them either.
        no_values: Numbers that are error values.
        beside: Topic filter of the input that it belongs to, if that has another one.
        of_devices: Whether its messages say of devices if they are there. The template then gives what the names of a
            device's sensors begin with, and `#` may stand for one level or more anywhere in the filter.
        by_format: Decoders of other formats, for payloads whose content type names one; empty if none is looked at.

    Raises:
        ValueError: The filter or the template isn't well formed, or they don't fit each other.
    """

    filter: str
    template: str
    decoder: Decoder
    repetition: Repetition
    time_from_payload: bool = True
    ignore_topics: tuple[str, ...] = ()
    no_values: frozenset[float] = frozenset()
    beside: str = ""
    of_devices: bool = False
    by_format: Mapping[str, Decoder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.of_devices:
            return
        problem = filter_problem(self.filter)
        if problem:
            raise ValueError(f"the topic filter {self.filter!r} {problem}")
        problem = template_problem(self.template, self.filter)
        if problem:
            raise ValueError(f"the template {self.template!r} {problem}")

    @cached_property
    def ignored(self) -> Ignored:
        """The topics that are left out."""
        return Ignored(self.ignore_topics)

    def decoder_for(self, content_type: str) -> Decoder:
        """The decoder of a payload whose sender names a content type.

        Raises:
            Refused: There is none.
        """
        if not self.by_format:
            return self.decoder
        wanted = format_of(content_type, self.decoder.name)
        found = self.decoder if wanted == self.decoder.name else self.by_format.get(wanted)
        if found is None:
            raise Refused("malformed", f"its content type says {wanted}, which needs pip install edgewarden[cbor]")
        return found

    @property
    def input(self) -> str:
        """The topic filter of the input that it belongs to."""
        return self.beside or self.filter

    @cached_property
    def tells_topics_apart(self) -> bool:
        """Whether different topics have different sensors, as far as the template goes."""
        used = placeholders(self.template)
        numbered = {str(number) for number in range(1, wildcards_of(self.filter) + 1)}
        return "topic" in used or (bool(numbered) and numbered <= used)


class Resolved:
    """A topic that a route reads.

    Attributes:
        route: The route.
        topic: The topic.
        levels: The levels that the filter's wildcards match.
    """

    __slots__ = ("levels", "route", "topic")

    def __init__(self, route: Route, topic: str, levels: Sequence[str]) -> None:
        self.route = route
        self.topic = topic
        self.levels = levels

    def sensor(self, path: str) -> str | None:
        """The name of the sensor at a path, or None if it isn't usable; see `is_usable()`.

        Args:
            path: Where its values stand, after what the payload says of its sender; see `decoders/paths.py`.
        """
        *told, field = path.split(OF)
        field = field.replace(SLASH, "/")
        template = self.route.template if field else _NO_FIELD.sub("", self.route.template)
        asked = sender_of(self.route.template)
        if len(told) != len(asked):
            return None
        said = dict(zip(asked, told, strict=True))
        if any(not self.levels[int(word) - 1] for word in placeholders(template) if word.isdecimal()):
            return None
        for word, text in said.items():
            if not text:
                template = re.sub(rf"[/._:-]?\{{{re.escape(word)}\}}", "", template)

        def fill(found: re.Match[str]) -> str:
            word = found[1]
            if word == "topic":
                return self.topic
            return field if word == "field" else said[word] if word in said else self.levels[int(word) - 1]

        name = _PLACEHOLDER.sub(fill, template)
        return name if is_usable(name) else None

    def device_at(self, path: str) -> str | None:
        """Common prefix of the names of a device's sensors; None if there is none.

        Args:
            path: Prefix of their paths, before a slash; empty for the device that the topic is about.
        """
        name = self.sensor(path or "x") if path or self.route.of_devices else None
        return None if name is None else f"{name}/"

    def owner(self, path: str) -> int:
        """Tells whose sensor a path's is: two that differ have no sensor in common, unless the operator says so."""
        return hash((self.topic if self.route.tells_topics_apart else "", path))


class Routes:
    """All inputs; the first that matches a topic reads it.

    Args:
        routes: In the operator's order.
        own_prefix: Our own topics, which are never read.
        gateways: Topics of other gateways, which are read only by a filter that names them.
    """

    def __init__(self, routes: Sequence[Route], own_prefix: str, gateways: GatewayTopics | None = None) -> None:
        self._routes = [(route, route.filter.split("/")) for route in routes]
        self._own = own_prefix
        self._gateways = gateways

    def find(self, topic: str) -> Resolved | None:
        """The route of a topic, or None if nobody reads it, as our own topics and the broker's."""
        if self._is_ours(topic):
            return None
        levels = topic.split("/")
        gateways = self._gateways if self._is_another_gateways(topic) else None
        for route, wanted in self._routes:
            if gateways is not None and not gateways.asks(wanted, topic):
                continue
            matched = match(wanted, levels)
            if matched is not None:
                return None if route.ignored.fits(topic) else Resolved(route, topic, matched)
        return None

    def leaves_out(self, topic: str) -> bool:
        """Whether the route of a topic that nobody reads leaves it out."""
        levels = topic.split("/")
        found = next((route for route, wanted in self._routes if match(wanted, levels) is not None), None)
        return found is not None and found.ignored.fits(topic)

    def is_own(self, topic: str) -> bool:
        """Whether a topic that no route reads is a gateway's or the broker's, which a filter such as `#` brings too."""
        return self._is_ours(topic) or self._is_another_gateways(topic)

    def _is_ours(self, topic: str) -> bool:
        return topic == self._own or topic.startswith((f"{self._own}/", "$"))

    def _is_another_gateways(self, topic: str) -> bool:
        return self._gateways is not None and self._gateways.has(topic)


def match(wanted: Sequence[str], levels: Sequence[str]) -> list[str] | None:
    """The levels of a topic that a filter's wildcards match, or None if it doesn't match (MQTT 3.1.1, 4.7).

    Args:
        wanted: Levels of the filter. `#` stands for all that is left, joined by slashes, maybe nothing; before other
            levels, for one or more that come before these.
        levels: Levels of the topic. Where the first begins with `$`, no wildcard stands for it.
    """
    if levels[0].startswith("$") and wanted[0] in {"+", "#"}:
        return None
    stands_for: list[str] = []
    for index, level in enumerate(wanted):
        if level == "#":
            behind = wanted[index + 1 :]
            end = len(levels) - len(behind)
            if behind and (end <= index or list(levels[end:]) != list(behind)):
                return None
            stands_for.append("/".join(levels[index:end]))
            return stands_for
        if index >= len(levels):
            return None
        if level == "+":
            stands_for.append(levels[index])
        elif level != levels[index]:
            return None
    return stands_for if len(wanted) == len(levels) else None


def is_usable(name: str) -> bool:
    """Whether a sensor may have a name.

    It has 1 to 200 bytes of UTF-8, no control characters, no slash at its end, and no level that begins or ends with a
    space; levels may be empty, as those of a topic may. Nothing is mended: two names that differ stay two sensors.
    """
    if len(name) > LONGEST_NAME or _CONTROL.search(name) or len(name.encode()) > LONGEST_NAME:
        return False
    return name[-1:] not in {"", "/"} and all(level == level.strip() for level in name.split("/"))
