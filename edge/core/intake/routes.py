"""Routes: map topics to decoders and sensor names."""

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
"""Maximum length of a sensor's name in bytes."""

UNUSABLE = (
    "its name would be empty or too long, hold a control character, or have a level that begins or ends in a space"
)

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_NO_FIELD = re.compile(r"^\{field\}[/._:-]?|[/._:-]?\{field\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Route:
    """One input.

    Attributes:
        filter: MQTT topic filter.
        template: Template of sensor names: `{1}` is the first wildcard's match, `{topic}` the whole topic, `{field}`
            the path in the payload; if the path is empty, the separator before it is dropped. `{payload.id}` is a
            payload field that identifies the sender, `{payload.id?}` an optional one.
        decoder: Decodes the payloads.
        repetition: The meaning of a repeated value.
        time_from_payload: False to use the arrival time whatever the payload contains.
        ignore_topics: Globs on topics to ignore; later routes don't read them either.
        no_values: Numbers that are error codes.
        beside: Topic filter of the input that the route belongs to, if that differs.
        of_devices: Whether its messages report the availability of devices. The template then gives the name prefix of
            a device's sensors, and `#` may stand for one or more levels anywhere in the filter.
        by_format: Decoders of other formats, selected by content type; empty to ignore content types.

    Raises:
        ValueError: The filter or the template is malformed, or they don't match.
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
        """The topics to ignore."""
        return Ignored(self.ignore_topics)

    def decoder_for(self, content_type: str) -> Decoder:
        """The decoder for a payload with a content type.

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
        """The topic filter of the input that the route belongs to."""
        return self.beside or self.filter

    @cached_property
    def tells_topics_apart(self) -> bool:
        """Whether the template gives different topics different sensors."""
        used = placeholders(self.template)
        numbered = {str(number) for number in range(1, wildcards_of(self.filter) + 1)}
        return "topic" in used or (bool(numbered) and numbered <= used)


class Resolved:
    """A topic matched to a route.

    Attributes:
        route: The route.
        topic: The topic.
        levels: The levels matched by the filter's wildcards.
    """

    __slots__ = ("levels", "route", "topic")

    def __init__(self, route: Route, topic: str, levels: Sequence[str]) -> None:
        self.route = route
        self.topic = topic
        self.levels = levels

    def sensor(self, path: str) -> str | None:
        """The name of the sensor at a path; None if it isn't usable, see `is_usable()`.

        Args:
            path: Position of the value, after the sender's identity; see `decoders/paths.py`.
        """
        *parts, field = path.split(OF)
        field = field.replace(SLASH, "/")
        template = self.route.template if field else _NO_FIELD.sub("", self.route.template)
        asked = sender_of(self.route.template)
        if len(parts) != len(asked):
            return None
        identity = dict(zip(asked, parts, strict=True))
        if any(not self.levels[int(word) - 1] for word in placeholders(template) if word.isdecimal()):
            return None
        for word, text in identity.items():
            if not text:
                template = re.sub(rf"[/._:-]?\{{{re.escape(word)}\}}", "", template)

        def fill(found: re.Match[str]) -> str:
            word = found[1]
            if word == "topic":
                return self.topic
            return field if word == "field" else identity[word] if word in identity else self.levels[int(word) - 1]

        name = _PLACEHOLDER.sub(fill, template)
        if not field:
            name = name.rstrip("/")  # of a topic that ends in a slash
        return name if is_usable(name) else None

    def device_at(self, path: str) -> str | None:
        """Name prefix of a device's sensors; None if there is none.

        Args:
            path: Prefix of their paths, before a slash; empty for the device that the topic identifies.
        """
        name = self.sensor(path or "x") if path or self.route.of_devices else None
        return None if name is None else f"{name}/"

    def owner(self, path: str) -> int:
        """Identifies the owner of a path's sensor: different owners share no sensor unless configured otherwise."""
        return hash((self.topic if self.route.tells_topics_apart else "", path))


class Routes:
    """All inputs; a topic is read by the first that matches.

    Args:
        routes: In the operator's order.
        own_prefix: Prefix of this gateway's own topics, which are never read.
        gateways: Topics of other gateways, read only by a filter that names them, and topics that describe devices,
            read only by a filter that doesn't begin with a wildcard.
        joined: Filters that may be subscribed to instead of inputs' filters; topics that only they match are ignored.

    Attributes:
        no_values: Error codes of all inputs, ascending.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        own_prefix: str,
        gateways: GatewayTopics | None = None,
        joined: Sequence[str] = (),
    ) -> None:
        self._routes = [(route, route.filter.split("/")) for route in routes]
        self._own = own_prefix
        self._gateways = gateways
        self._joined = [each.split("/") for each in joined]
        self.no_values = sorted(frozenset[float]().union(*(each.no_values for each in routes)))

    def find(self, topic: str) -> Resolved | None:
        """The route of a topic; None if no input reads it, as for this gateway's and the broker's own topics."""
        if self._is_ours(topic):
            return None
        levels = topic.split("/")
        gateways = self._gateways if self._is_another_gateways(topic) else None
        is_announcement = self._is_announcement(topic)
        for route, wanted in self._routes:
            if gateways is not None and not gateways.asks(wanted, topic):
                continue
            if is_announcement and wanted[0] in {"+", "#"}:
                continue
            matched = match(wanted, levels)
            if matched is not None:
                return None if route.ignored.fits(topic) else Resolved(route, topic, matched)
        return None

    def leaves_out(self, topic: str) -> bool:
        """Whether an unread topic is ignored by the input that it matches, or matches only a joined filter."""
        levels = topic.split("/")
        found = next((route for route, wanted in self._routes if match(wanted, levels) is not None), None)
        if found is None:
            return any(match(wanted, levels) is not None for wanted in self._joined)
        return found.ignored.fits(topic) or self._is_announcement(topic)

    def is_own(self, topic: str) -> bool:
        """Whether an unread topic belongs to a gateway or the broker; a filter such as `#` delivers those too."""
        return self._is_ours(topic) or self._is_another_gateways(topic)

    def _is_ours(self, topic: str) -> bool:
        return topic == self._own or topic.startswith((f"{self._own}/", "$"))

    def _is_announcement(self, topic: str) -> bool:
        return self._gateways is not None and bool(self._gateways.announces(topic))

    def _is_another_gateways(self, topic: str) -> bool:
        return self._gateways is not None and self._gateways.has(topic)


def match(wanted: Sequence[str], levels: Sequence[str]) -> list[str] | None:
    """The levels of a topic matched by a filter's wildcards; None if it doesn't match (MQTT 3.1.1, 4.7).

    Args:
        wanted: Levels of the filter. A final `#` matches all remaining levels, joined by slashes, possibly none; before
            other levels it matches one or more.
        levels: Levels of the topic. If the first begins with `$`, no wildcard matches it.
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
    """Whether a name is allowed for a sensor.

    Names have 1 to 200 bytes of UTF-8, no control characters, no trailing slash, and no level that begins or ends with
    a space; levels may be empty, as in topics. Names are never normalised: two different names are two sensors.
    """
    if len(name) > LONGEST_NAME or _CONTROL.search(name) or len(name.encode()) > LONGEST_NAME:
        return False
    return name[-1:] not in {"", "/"} and all(level == level.strip() for level in name.split("/"))
