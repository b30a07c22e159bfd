"""Proposing: inputs for the received messages, conventions first, then remaining topics one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from config.gateway_topics import GatewayTopics
from config.notation.availability import availability_of
from config.notation.topics import filter_problem, glob_pattern
from config.tables.convention import Convention, conventions
from config.writing.toml_text import toml_value
from edge.core.intake.decoders.documents.senders.turns import naming_keys
from edge.core.intake.routes import match
from edge.core.model.readings.messages import Message
from edge.discovery.collecting import CollectedMessages
from edge.discovery.fields.bookkeeping import is_bookkeeping_topic
from edge.discovery.fields.undecoded import BYTES, HEXADECIMAL, bytes_in, hexadecimal_in
from edge.discovery.fields.words import as_values, spelled, states_in
from edge.discovery.formats import LOOKED_AT, keys_for, may_name_senders, why_unread
from edge.discovery.joining import FEW, joined
from edge.discovery.numbered_topics import inputs_of_numbered
from edge.discovery.reading import Keys, decode, documents_of, is_read, paths_read

MOST_INPUTS = 200
NOTHING = "contains only information about its sender, or times"
MOST_LEFT_OUT = 100
"""Maximum number of further topics of a convention's devices that are listed in its `ignore_topics`."""


class Proposal(NamedTuple):
    """Proposed inputs.

    Attributes:
        inputs: Tables `[[input]]` in order.
        conventions: Number of topics that follow each convention.
        left_out: Topics that aren't read, with reasons.
        unread: Topics without any readable content, with their apparent formats.
        words: Fields of read topics that hold words for states, with the key that reads these.
    """

    inputs: list[dict[str, Any]]
    conventions: Mapping[str, int]
    left_out: dict[str, str]
    unread: dict[str, str]
    words: dict[str, str]


def propose(heard: CollectedMessages, gateways: GatewayTopics, own: str) -> Proposal:
    """Propose inputs for the received messages.

    Args:
        heard: The messages.
        gateways: Other gateways, whose topics aren't read.
        own: Base of this gateway's own topics.
    """
    claimed: dict[str, str] = {}
    open_topics: list[str] = []
    left_out: dict[str, str] = {}
    for topic, messages in heard.topics.items():
        if topic.startswith((f"{own}/", "$")) or gateways.has(topic):
            continue
        if described := gateways.announces(topic):
            left_out[topic] = f"describes {described}"
            continue
        convention = _convention_of(topic, messages)
        if convention is None:
            open_topics.append(topic)
        else:
            claimed[topic] = convention
    for topic in _said_twice(claimed):
        del claimed[topic]
        open_topics.append(topic)
    counted = Counter(claimed.values())
    open_topics = [topic for topic in open_topics if not any(_says_who_is_there(each, topic) for each in counted)]
    beside = _devices(claimed)
    left_out |= {
        topic: f"a topic of {found} that holds no readings"
        for topic in open_topics
        if (found := _neighbour(topic, beside))
    }
    shared = _sharing(counted)
    inputs = [_of_topic(name, topic) for topic, name in claimed.items() if name in shared]
    wide = sorted(counted.keys() - shared, key=_specific, reverse=True)
    inputs += [_of_convention(name, left_out) for name in wide]
    numbered = inputs_of_numbered([each for each in open_topics if each not in left_out], heard.topics)
    inputs += [each for each, _ in numbered]
    open_topics = [each for each in open_topics if not any(each in topics for _, topics in numbered)]
    rest = {topic: keys_for(list(heard.topics[topic])) for topic in open_topics if topic not in left_out}
    read = {topic: keys for topic, keys in rest.items() if keys is not None}
    for topic in [each for each, keys in read.items() if _is_worth_nothing(keys, heard.topics[each])]:
        del read[topic]
        left_out[topic] = NOTHING
    unread = {topic: why_unread(list(heard.topics[topic])) for topic, keys in rest.items() if keys is None}
    inputs += _of_topics(read, [each for each in (*left_out, *unread) if each not in read], heard.topics)
    too_many = f"would need more than {MOST_INPUTS} inputs"
    left_out |= {topic_of(each): too_many for each in inputs[MOST_INPUTS:]}
    for topic, keys in rest.items():
        if keys is not None and keys["format"] == "json":
            documents = documents_of(heard.topics[topic])
            unread |= {f"{topic} {path}": BYTES for path in bytes_in(documents)}
            unread |= {f"{topic} {path}": HEXADECIMAL for path in hexadecimal_in(documents)}
    words = {
        f"{topic} {path}": meaning
        for topic, keys in read.items()
        if keys["format"] == "json"
        for path, meaning in _words_in(keys, list(heard.topics[topic])).items()
    }
    return Proposal(inputs[:MOST_INPUTS], counted, left_out, unread, words)


def _words_in(keys: Keys, messages: Sequence[Message]) -> dict[str, str]:
    """The words in fields of a topic that its keys don't read, with the keys that do."""
    either = may_name_senders(keys, messages)
    found = {}
    for path, said in states_in(messages).items():
        if keys.get("values", {}).keys() >= spelled(said).keys():
            continue
        found[path] = as_values(said)
        if path == either:
            naming = naming_keys(path.replace("/", "."), "{topic}/{field}")
            found[path] += f" if they are states, or sensor = {toml_value(naming['sensor'])} if they name senders"
    return found


def _is_worth_nothing(keys: Keys, messages: Sequence[Message]) -> bool:
    """Whether a topic contains only bookkeeping."""
    if keys["format"] == "number":
        return "values" not in keys and is_bookkeeping_topic(messages)
    return not any((found := decode(keys, each.payload)) is not None and found.samples for each in messages)


def topic_of(table: Mapping[str, Any]) -> str:
    """The topic filter of a proposed `[[input]]`, its own or its convention's."""
    return str(table.get("topic") or conventions()[table["convention"]].keys["topic"])


def _specific(name: str) -> tuple[int, int]:
    """The specificity of a convention's filter."""
    levels = conventions()[name].keys["topic"].split("/")
    return sum(each not in {"+", "#"} for each in levels), len(levels) - ("#" in levels)


def _convention_of(topic: str, messages: Sequence[Message]) -> str | None:
    """The most specific convention that a topic follows, by filter, fields, and readings."""
    levels = topic.split("/")
    for name in sorted(conventions(), key=_specific, reverse=True):
        found = conventions()[name]
        if match(found.keys["topic"].split("/"), levels) is not None and _follows(found, topic, messages):
            return name
    return None


def _follows(convention: Convention, topic: str, messages: Sequence[Message]) -> bool:
    if any(glob_pattern(each).fullmatch(topic) for each in convention.keys.get("ignore_topics", ())):
        return False
    keys: Keys = {key: value for key, value in convention.keys.items() if key not in {"topic", "ignore_topics"}}
    wild = {"topic": convention.keys["topic"]}
    return any(
        all(f'"{field}"'.encode() in each.payload for field in convention.fields)
        and is_read({**keys, **wild}, each.payload)
        for each in messages
    )


def _said_twice(claimed: Mapping[str, str]) -> list[str]:
    """Topics of devices that publish the same data on topics of another convention, too."""
    known = {(convention, _device_of(topic, convention)) for topic, convention in claimed.items()}
    return [
        topic
        for topic, convention in claimed.items()
        if (conventions()[convention].instead, _device_of(topic, convention)) in known
    ]


def _device_of(topic: str, convention: str) -> str:
    """The level matched by the first wildcard of a convention's filter if sensors are named by it, or the first level.

    Otherwise it may be the name of a computer, such as `pi` in `rtl_433/pi/events`, on which other programs run, too.
    """
    keys, levels = conventions()[convention].keys, topic.split("/")
    wanted = keys["topic"].split("/")
    return levels[wanted.index("+")] if "+" in wanted and "{1}" in keys["sensor"] else _beginning(topic)


def _sharing(counted: Mapping[str, int]) -> set[str]:
    """Conventions that share a filter with a more frequent one, so that each of their topics needs an input."""
    widest: dict[str, str] = {}
    for name in sorted(counted, key=lambda each: (-counted[each], each)):
        widest.setdefault(conventions()[name].keys["topic"], name)
    return {name for name in counted if widest[conventions()[name].keys["topic"]] != name}


def _says_who_is_there(name: str, topic: str) -> bool:
    """Whether a topic carries the availability of a convention's devices."""
    keys = conventions()[name].keys
    if "availability" not in keys:
        return False
    wanted = availability_of(keys["availability"], keys["topic"], keys["sensor"]).matching
    return match(wanted.split("/"), topic.split("/")) is not None


def _devices(claimed: Mapping[str, str]) -> dict[str, str]:
    """The names claimed by conventions: the beginning of their topics, and the match of the first wildcard."""
    names: dict[str, str] = {}
    for topic, convention in claimed.items():
        names[_beginning(topic)] = names[_device_of(topic, convention)] = convention
    return names


def _neighbour(topic: str, names: Mapping[str, str]) -> str | None:
    """The convention whose devices a topic belongs to although it doesn't follow the convention."""
    return next((names[each] for each in (_beginning(topic), *topic.split("/")[:2]) if each in names), None)


def _beginning(topic: str) -> str:
    """The first level of a topic; with the slash before it, if it begins with one."""
    levels = topic.split("/")
    return levels[0] or "/".join(levels[:2])


def _of_topic(name: str, topic: str) -> dict[str, Any]:
    """The input for one topic of a convention; its sensor names begin with the topic, so they are unique."""
    return {"convention": name, "topic": topic, "sensor": "{topic}/" + conventions()[name].keys["sensor"]}


def _of_convention(name: str, left_out: Mapping[str, str]) -> dict[str, Any]:
    """The input for a convention; topics that match its filter but contain no readings are ignored."""
    keys = conventions()[name].keys
    wanted, ignored = keys["topic"].split("/"), list(keys.get("ignore_topics", ()))
    named = [
        topic
        for topic in left_out
        if match(wanted, topic.split("/")) is not None
        and not any(glob_pattern(each).fullmatch(topic) for each in ignored)
        and not _has_wildcards(topic)
    ]
    if not named:
        return {"convention": name}
    return {"convention": name, "ignore_topics": [*ignored, *named[:MOST_LEFT_OUT]]}


def _leaving_out_alike(keys_of: Mapping[str, Keys]) -> dict[str, Keys]:
    """The same keys, where sets that differ only in ignored fields, or in words with one meaning, have all of them."""
    together: dict[str, tuple[dict[str, None], dict[str, None], dict[str, float]]] = {}
    merged: dict[str, Keys] = {}
    for topic, keys in keys_of.items():
        rest = {name: keys[name] for name in keys if name not in {"ignore", "no_value", "values"}}
        ignored, absent, values = together.setdefault(repr(rest), ({}, {}, {}))
        own = keys.get("values", {})
        if any(values.get(each, number) != number for each, number in own.items()):
            merged[topic] = keys
            continue
        ignored.update(dict.fromkeys(keys.get("ignore", ())))
        absent.update(dict.fromkeys(keys.get("no_value", ())))
        values.update(own)
        merged[topic] = rest
    for topic, keys in merged.items():
        if keys is not keys_of[topic]:
            ignored, absent, values = together[repr(keys)]
            more = {"ignore": list(ignored), "no_value": list(absent), "values": dict(values)}
            merged[topic] = {**keys, **{name: value for name, value in more.items() if value}}
    return merged


def _reads_all(
    keys: Keys, keys_of: Mapping[str, Keys], messages: Mapping[str, Collection[Message]], topic: str
) -> bool:
    """Whether keys read all that a topic's own keys read: what others ignore may be a reading in it."""
    latest = list(messages[topic])[-LOOKED_AT:]
    return paths_read(keys, latest) >= paths_read(keys_of[topic], latest)


def _has_wildcards(topic: str) -> bool:
    return any(each in topic for each in "*+#")


def _of_topics(
    keys_of: Mapping[str, Keys], others: Sequence[str], messages: Mapping[str, Collection[Message]]
) -> list[dict[str, Any]]:
    """Inputs for topics: one for all with the same beginning and the same keys, and one for each exception.

    Args:
        keys_of: The keys for each topic.
        others: Topics that aren't read, and are ignored if they have the same beginning as read ones.
        messages: The messages of each topic.
    """
    groups: dict[str, list[str]] = {}
    for topic in keys_of:
        groups.setdefault(_beginning(topic), []).append(topic)
    exact, wide = list[dict[str, Any]](), list[dict[str, Any]]()
    for first, topics in groups.items():
        merged = _leaving_out_alike({each: keys_of[each] for each in topics})
        keys_of = {
            **keys_of,
            **{each: keys for each, keys in merged.items() if _reads_all(keys, keys_of, messages, each)},
        }
        spelled = Counter(repr(keys_of[each]) for each in topics)
        most, count = spelled.most_common(1)[0]
        shared = first.strip("/") and len(topics) > 1 and filter_problem(f"{first}/#") is None
        for each in topics:
            if not (shared and count > 1 and repr(keys_of[each]) == most) and filter_problem(each) is None:
                exact.append({"topic": each, **keys_of[each]})
        if shared and count > 1:
            keys = next(keys_of[each] for each in topics if repr(keys_of[each]) == most)
            ignored = [each for each in others if _beginning(each) == first and not _has_wildcards(each)]
            more = {"ignore_topics": ignored[:MOST_LEFT_OUT]} if ignored else {}
            wide.append({"topic": f"{first}/#", **more, **keys})
    return _joined(keys_of, others, exact, wide)


def _joined(
    keys_of: Mapping[str, Keys], others: Sequence[str], exact: list[dict[str, Any]], wide: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The inputs, with fewer ones in place of many that have the same keys."""
    alike = Counter(_alike(each) for each in exact + wide)
    made: list[dict[str, Any]] = []
    for keys in [each for each, count in alike.items() if count > FEW]:
        topics = [topic for topic in keys_of if repr(keys_of[topic]) == keys and filter_problem(topic) is None]
        filters = joined(topics, [*(each for each in keys_of if repr(keys_of[each]) != keys), *others])
        if topics and len(filters) < alike[keys]:
            made += [{"topic": each, **keys_of[topics[0]]} for each in filters]
            exact = [each for each in exact if _alike(each) != keys]
            wide = [each for each in wide if _alike(each) != keys]
    return exact + made + wide


def _alike(given: Mapping[str, Any]) -> str:
    """The keys of an input that don't name topics, as a text."""
    return repr({key: value for key, value in given.items() if key not in {"topic", "ignore_topics"}})
