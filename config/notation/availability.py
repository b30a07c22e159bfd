"""The key `availability` of an input: the topics on which its devices report whether they are online.

`tele/{1}/LWT` is such a topic for the device given by the match of the first wildcard. A device's sensors are those
whose names have the same prefix in the input's template.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from config.notation.topics import filter_problem

_LEVEL = re.compile(r"\{([1-9][0-9]?)\}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class AvailabilityTopic(NamedTuple):
    """A resolved availability topic.

    Attributes:
        matching: Filter of the topics. `#` matches one or more levels, also before other levels.
        subscribed: Filter to subscribe to.
        device: Template of a device: the common prefix of its sensors' names, without the slash. `{1}` is the match of
            the first wildcard of `matching`.
    """

    matching: str
    subscribed: str
    device: str


def availability_of(availability: str, topic: str, sensor: str) -> AvailabilityTopic:
    """The resolved availability of an input.

    Args:
        availability: The topic, with placeholders for wildcards of the input's topic.
        topic: The input's topic filter.
        sensor: The template of its sensors' names.

    Raises:
        ValueError: It is invalid; the message gives the reason.
    """
    wildcards = [level for level in topic.split("/") if level in {"+", "#"}]
    levels, used = list[str](), list[str]()
    for level in availability.split("/"):
        found = _LEVEL.fullmatch(level)
        if found is None:
            if any(each in level for each in "{}+#"):
                raise ValueError("may hold placeholders such as {1} as whole levels, and no wildcards")
            levels.append(level)
            continue
        number = found[1]
        if int(number) > len(wildcards):
            raise ValueError(f"asks for {{{number}}}, but the topic {topic} has {len(wildcards)} wildcards")
        if number in used:
            raise ValueError(f"holds {{{number}}} twice")
        used.append(number)
        levels.append(wildcards[int(number) - 1])
    subscribed = "/".join(levels[: levels.index("#") + 1] if "#" in levels else levels)
    if problem := filter_problem(subscribed):
        raise ValueError(problem)
    return AvailabilityTopic("/".join(levels), subscribed, _device(sensor, topic, used))


def _device(sensor: str, topic: str, used: list[str]) -> str:
    """The template of a device; see `AvailabilityTopic`.

    Raises:
        ValueError: The sensors' names don't begin with the levels that distinguish the devices.
    """
    numbers = iter(range(1, 100))
    spelled = "/".join(f"{{{next(numbers)}}}" if level in {"+", "#"} else level for level in topic.split("/"))
    template = sensor.replace("{topic}", spelled)
    unknown = next((each for each in _PLACEHOLDER.finditer(template) if each[1] not in used), None)
    device, slash, _ = template[: unknown.start() if unknown else None].rpartition("/")
    if not slash or set(_PLACEHOLDER.findall(device)) != set(used):
        needed = "-".join(f"{{{each}}}" for each in used) or "the name of the device"
        raise ValueError(f'needs sensors whose names begin with their device, such as sensor = "{needed}/{{field}}"')
    return _PLACEHOLDER.sub(lambda found: f"{{{used.index(found[1]) + 1}}}", device)
