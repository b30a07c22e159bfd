"""Words for states, such as `open` and `heating`, which are read once `values` says which numbers they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from edge.core.model.readings.messages import Message
from edge.discovery.fields.bookkeeping import is_bookkeeping_name

PAIRS = (
    ("on", "off"), ("online", "offline"), ("open", "closed"), ("true", "false"), ("detected", "clear"), ("yes", "no"),
    ("locked", "unlocked"), ("home", "not_home"),
)  # fmt: skip
"""Pairs of words for states: the first is 1, the second 0."""

NAMES_TOO = frozenset({"home"})
"""Words that are states in lower case only, and otherwise names."""

RESTING = (
    "off", "offline", "closed", "close", "false", "clear", "no", "unlocked", "not_home", "away", "idle", "standby",
    "stopped", "inactive", "ok", "normal",
)  # fmt: skip
"""Words for the state that is 0."""

_KNOWN = frozenset(
    {
        *RESTING, *(each for pair in PAIRS for each in pair), "opened", "heating", "cooling", "heat", "cool", "auto",
        "running", "active", "alarm", "fault", "error", "warning", "charging", "discharging", "full", "empty", "wet",
        "dry", "up", "down",
    }
)  # fmt: skip
"""Words that name a state wherever they are; others do if a field changes between few of them."""

NO_STATES = frozenset({"nan", "inf", "infinity", "null", "none", "unavailable", "unknown", "undefined"})
"""Words for a missing value."""

_ABSENT = frozenset({"err", "error", "fail", "failed", "failure", "fault", "n/a", "na", "nil"})
"""Words that say that there is no value where there are numbers at other times, besides those above."""

MOST_WORDS = 6
LONGEST_WORD = 20
MOST_FIELDS, MOST_DEPTH = 32, 8
"""Maximum number of words of a state, and of fields of a topic that are looked at, and their maximum depth."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,19}")
_NAMES = re.compile(
    r"(?:.*[/_])?(?:name|label|model|type|device|room|location|topic|unit|units|ssid|vendor|manufacturer)"
)


def spelled(words: Iterable[str]) -> dict[str, float]:
    """Numbers for words: 0 for a state of rest, 1 for its opposite, else a number each."""
    found = sorted({*words}, key=lambda each: (each.lower() not in RESTING, each.lower()))
    lower = {each.lower() for each in found}
    pair = next((each for each in PAIRS if lower <= {*each}), None)
    if pair is None:
        return {each: float(place) for place, each in enumerate(found, found[0].lower() not in RESTING)}
    style = (
        str.upper
        if found[0].isupper() and len(found[0]) > 1
        else str.capitalize
        if found[0][:1].isupper()
        else str.lower
    )
    both = {style(pair[0]): 1.0, style(pair[1]): 0.0}
    return both | {each: float(each.lower() == pair[0]) for each in found}


def as_values(words: Iterable[str]) -> str:
    """The key of an input that reads words, as TOML."""
    return "values = { " + ", ".join(f"{each} = {number:g}" for each, number in spelled(words).items()) + " }"


def words_of(messages: Sequence[Message]) -> list[str]:
    """The words that payloads consist of; empty if one is something else, or there are too many."""
    texts = {each.payload.strip(b' \t\r\n\0"') for each in messages}
    if len(texts) > MOST_WORDS:
        return []
    words = [each.decode("ascii", "replace") for each in sorted(texts)]
    return words if all(_WORD.fullmatch(each) and each.lower() not in NO_STATES for each in words) else []


def written(states: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Numbers for the words of all fields of a topic, as far as none would have two.

    Booleans, `yes` and `no` count if both were seen; otherwise they may be a mere property.

    Args:
        states: Words by field, see `states_in()`.
    """
    numbers: dict[str, float] = {}
    for words in states.values():
        more = spelled(words)
        is_property = len(words) == 1 and words[0].lower() in {"true", "false", "yes", "no"}
        if not is_property and all(numbers.get(each, number) == number for each, number in more.items()):
            numbers |= more
    return numbers


def absent_in(texts: Iterable[str]) -> list[str]:
    """The texts that say that there is no value, of those in a place that holds numbers at other times.

    A state, such as `off`, isn't one: it may stand for a number. Too many texts are something else.
    """
    found = sorted({*texts})
    if len(found) > MOST_WORDS or not all(0 < len(each) <= LONGEST_WORD and each.isprintable() for each in found):
        return []
    return [each for each in found if each.lower() in _ABSENT | NO_STATES or each.lower() not in _KNOWN]


def states_in(messages: Sequence[Message]) -> dict[str, list[str]]:
    """The words of those fields of JSON objects that hold a state, by path without the position in a list."""
    found: dict[str, list[str]] = {}
    for message in messages:
        try:
            document = json.loads(message.payload)
        except (ValueError, RecursionError):
            continue
        for each in document if isinstance(document, list) else [document]:
            for path, word in texts_in(each):
                if path in found or len(found) < MOST_FIELDS:
                    found.setdefault(path, []).append(word)
    return {path: sorted({*words}) for path, words in found.items() if is_state(path, words)}


def is_state(path: str, words: Sequence[str]) -> bool:
    """Whether the words in a field or on a topic are states: known ones, or few between which it changes."""
    distinct = {each for each in words if each.lower() not in NO_STATES}
    if not 0 < len(distinct) <= MOST_WORDS or not all(map(_WORD.fullmatch, distinct)) or is_bookkeeping_name(path):
        return False
    if _NAMES.fullmatch(path.lower()):
        return False
    return {each.lower() for each in distinct} <= _KNOWN or 1 < len(distinct) < len(words)


def texts_in(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The texts and booleans in an object, by path."""
    if isinstance(value, dict) and depth < MOST_DEPTH:
        for key, inner in value.items():
            yield from texts_in(inner, f"{path}/{key}" if path else key, depth + 1)
    elif isinstance(value, bool):
        yield path, str(value).lower()
    elif isinstance(value, str) and path:
        yield path, value
