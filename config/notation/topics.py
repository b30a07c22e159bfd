"""Topic filters, sensor names, and the templates that derive one from the other: validation.

`+` matches one level of a topic and `#` the rest of it. In a template `{1}` is the match of the first wildcard,
`{topic}` the whole topic, `{field}` the path in the payload, and `{payload.model}` a payload field that identifies the
sender; `{payload.channel?}` is optional.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_NAME = 256
"""Maximum length of a topic or sensor name in characters, the limit of AWS IoT for topics."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SENDER = re.compile(r"payload(\.[^{}.?/+#]+)+\??")


def _first(*checks: tuple[bool, str]) -> str | None:
    """The message of the first check that fails."""
    return next((message for found, message in checks if found), None)


def _too_long(text: str, most: int = LONGEST_NAME) -> tuple[bool, str]:
    return len(text) > most, f"must have at most {most} characters, has {len(text)}"


def _bad_levels(text: str) -> tuple[bool, str]:
    return not all(text.split("/")), "must not have empty levels, or begin or end with a slash"


def filter_problem(topic: str) -> str | None:
    """The problem with a topic filter, or None."""
    levels = topic.split("/")
    hash_inside = any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#")
    return _first(
        (not topic, "must not be empty"),
        _too_long(topic),
        ("\0" in topic, "must not contain a NUL character"),
        (
            topic.startswith("$"),
            "must not begin with $: the broker's own topics and shared subscriptions can't be read",
        ),
        (hash_inside, "may contain # only as its last level"),
        (any("+" in level and level != "+" for level in levels), "may contain + only as a whole level"),
    )


def base_problem(base: str) -> str | None:
    """The problem with the base of this gateway's topics, with its placeholder filled in, or None."""
    return _first(
        (not base, "must not be empty"),
        _too_long(base, LONGEST_NAME // 2),
        (base.startswith("$"), "must not begin with $: such topics belong to the broker"),
        ("{" in base or "}" in base, "may contain {gateway} and no other placeholder"),
        (any(each in base for each in "+#\0"), "must not contain wildcards: the service publishes to it"),
        _bad_levels(base),
    )


def template_problem(template: str, topic: str) -> str | None:
    """The problem with the template of sensor names for a topic filter, or None."""
    plain = _PLACEHOLDER.sub("x", template)
    wrong = _first(
        (not template, "must not be empty"),
        _too_long(template),
        ("{" in plain or "}" in plain, "has a brace without its partner"),
        (
            any(each in plain for each in "+#\0"),
            "must not contain wildcards: write {1} for the level matched by the topic's first one",
        ),
        _bad_levels(plain),
    )
    unknown = (_placeholder_problem(name, topic) for name in _PLACEHOLDER.findall(template))
    return wrong or next((each for each in unknown if each), None)


def _placeholder_problem(name: str, topic: str) -> str | None:
    if name in {"topic", "field"} or _SENDER.fullmatch(name):
        return None
    if not re.fullmatch(r"[1-9][0-9]?", name):
        return (
            f"knows no placeholder {{{name}}}; there are {{topic}}, {{field}}, {{1}}, {{2}} and so on "
            "for the wildcards, and {payload.KEY} for a field of the payload"
        )
    wildcards = wildcards_of(topic)
    if int(name) <= wildcards:
        return None
    count = {0: "no wildcard", 1: "one wildcard"}.get(wildcards, f"{wildcards} wildcards")
    return f"asks for {{{name}}}, but the topic {topic} has {count}"


def names_without_a_field(template: str) -> bool:
    """Whether a template gives a name even without a field, whose separator is then dropped, too."""
    return all(re.sub(r"[/._:-]?\{field\}", "", template).split("/"))


def placeholders(template: str) -> frozenset[str]:
    """The names between the braces of a template."""
    return frozenset(_PLACEHOLDER.findall(template))


def sender_of(template: str) -> tuple[str, ...]:
    """The payload fields that a template uses, such as `payload.id`, without repetitions, in order."""
    return tuple(dict.fromkeys(each for each in _PLACEHOLDER.findall(template) if each.startswith("payload.")))


def wildcards_of(topic: str) -> int:
    """Number of wildcards in a topic filter."""
    return sum(level in {"+", "#"} for level in topic.split("/"))


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic that the filter `narrow` matches is matched by the filter `wide`."""
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    for index, level in enumerate(wide_levels):
        if level == "#":
            return True
        if index >= len(narrow_levels) or narrow_levels[index] == "#":
            return False
        if level not in {"+", narrow_levels[index]}:
            return False
    return len(wide_levels) == len(narrow_levels)


def overlap(one: str, other: str) -> bool:
    """Whether some topic is matched by both filters."""
    ones, others = one.split("/"), other.split("/")
    for mine, theirs in zip(ones, others, strict=False):
        if "#" in {mine, theirs}:
            return True
        if "+" not in {mine, theirs} and mine != theirs:
            return False
    longer = ones if len(ones) > len(others) else others
    shorter = min(len(ones), len(others))
    return len(ones) == len(others) or longer[shorter] == "#"


def common_filter(one: str, other: str) -> str | None:
    """The narrowest filter that matches all topics of two that overlap; None if their first levels differ."""
    levels: list[str] = []
    ones, others = one.split("/"), other.split("/")
    if ones[0] != others[0]:
        return None
    for mine, theirs in zip(ones, others, strict=False):
        if "#" in {mine, theirs}:
            break
        levels.append(mine if mine == theirs else "+")
    return "/".join(levels if len(levels) == len(ones) == len(others) else [*levels, "#"])


def items_problem(items: str) -> str | None:
    """The problem with the path of a list of readings, or of an object that holds them, or None."""
    if re.fullmatch(r"\[\*\]|[^\[\].*{}]+(\.[^\[\].*{}]+)*(\[\*\])?", items):
        return None
    return "must be [*] for a payload that is a list, or keys with dots between them, such as values[*] or data.object"


def item_name_problem(name: str) -> str | None:
    """The problem with the template of the paths of a list's elements, or None."""
    plain = _PLACEHOLDER.sub("x", name)
    return _first(
        (not name, "must not be empty"),
        _too_long(name),
        ("{" in plain or "}" in plain, "has a brace without its partner"),
        (not _PLACEHOLDER.search(name), "must hold a field of the elements such as {id}, or {index} for their places"),
        (any(each in plain for each in "+#\0"), "must not contain wildcards"),
        _bad_levels(plain),
    )


def glob_problem(glob: str) -> str | None:
    """The problem with a glob on sensor names, or None."""
    if not glob:
        return "must not be empty; ** matches every sensor"
    if len(glob) > LONGEST_NAME:
        return f"must have at most {LONGEST_NAME} characters, has {len(glob)}"
    if "***" in glob:
        return "may hold * for a part of one level and ** for any number of levels, not ***"
    if any(each in glob for each in "+#"):
        return "is a glob on sensor names: write * for one level and ** for any number, instead of + and #"
    return None


@lru_cache(maxsize=1024)
def glob_pattern(glob: str) -> re.Pattern[str]:
    """A glob on sensor names as a regular expression for the whole name.

    `*` matches any characters within a level, `**` any characters, and `**/` also nothing: `**/temperature` matches
    every sensor whose last level is `temperature`.
    """
    parts = re.split(r"(\*\*/|\*\*|\*)", glob)
    spelled = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile("".join(spelled.get(part) or re.escape(part) for part in parts), re.DOTALL)
