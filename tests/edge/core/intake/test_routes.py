"""Routes: filters, templates, names, and the outgoing topics."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, seed, settings
from hypothesis import strategies as st

from config.gateway_topics import GatewayTopics
from edge.core.intake.decoders import FieldsDecoder, NumberDecoder, Repetition
from edge.core.intake.routes import Route, Routes, is_usable, match
from edge.core.model.notation.topics import USUAL_BASE, topic_for

LONG_BASE = f"edgewarden/{'g' * 64}/anomaly/"


def route(topic_filter: str, template: str = "{topic}/{field}") -> Route:
    return Route(topic_filter, template, FieldsDecoder(), Repetition.PERIODIC)


def name_of(topic_filter: str, template: str, topic: str, path: str = "") -> str | None:
    resolved = Routes([route(topic_filter, template)], "own").find(topic)
    assert resolved is not None
    return resolved.sensor(path)


def naive_match(wanted: list[str], levels: list[str], *, first: bool = True) -> bool:
    """The rules of the standard, one character at a time."""
    if first and levels[0].startswith("$") and wanted[0] in {"+", "#"}:
        return False
    if wanted == ["#"]:
        return True
    if not wanted or not levels:
        return not wanted and not levels
    if wanted[0] not in {"+", levels[0]}:
        return False
    rest, left = wanted[1:], levels[1:]
    return (rest == ["#"] and not left) or naive_match(rest, left, first=False)


level = st.sampled_from(["a", "b", "", "$SYS", "a b", "é"])
topics = st.lists(level, min_size=1, max_size=5)
filters = st.builds(
    lambda levels, tail: levels + tail,
    st.lists(level | st.just("+"), max_size=5),
    st.sampled_from([[], ["#"]]),
).filter(bool)


@seed(9)
@settings(max_examples=400, database=None)
@given(wanted=filters, levels=topics)
def test_a_filter_matches_as_specified(wanted: list[str], levels: list[str]) -> None:
    stands_for = match(wanted, levels)
    assert (stands_for is not None) == naive_match(wanted, levels)
    if stands_for is not None:
        filled = iter(stands_for)
        rebuilt = [next(filled) if each in {"+", "#"} else each for each in wanted]
        assert "/".join(rebuilt) in {"/".join(levels), "/".join(levels) + "/"}
        assert next(filled, None) is None


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("a/b", "a/b", []),
        ("a/b", "a/B", None),
        ("a/+", "a/b", ["b"]),
        ("a/+", "a", None),
        ("a/+", "a/", [""]),
        ("a/+", "a/b/c", None),
        ("+/b/+", "a/b/c", ["a", "c"]),
        ("+", "/a", None),
        ("+/+", "/a", ["", "a"]),
        ("a/#", "a", [""]),
        ("a/#", "a/b/c", ["b/c"]),
        ("a/+/#", "a/b/c/d", ["b", "c/d"]),
        ("#", "a/b", ["a/b"]),
        ("#", "$SYS/uptime", None),
        ("+/uptime", "$SYS/uptime", None),
        ("#", "$share/a", None),
        ("$SYS/#", "$SYS/uptime", ["uptime"]),
        ("a/+", "a/$x", ["$x"]),
    ],
)
def test_the_levels_matched_by_the_wildcards(topic_filter: str, topic: str, expected: list[str] | None) -> None:
    assert match(topic_filter.split("/"), topic.split("/")) == expected


@pytest.mark.parametrize(
    ("topic_filter", "template", "topic", "path", "name"),
    [
        ("plant/+/+", "{1}/{2}/{field}", "plant/line1/pump3", "temperature", "line1/pump3/temperature"),
        (
            "plant/+/+",
            "{1}/{2}/{field}",
            "plant/line1/pump3",
            "BME280/Humidity",
            "line1/pump3/BME280/Humidity",
        ),
        ("plant/+/+", "{1}/{2}/{field}", "plant/line1/pump3", "", "line1/pump3"),
        ("plant/+/+", "{2}-{1}.{field}", "plant/line1/pump3", "", "pump3-line1"),
        ("plant/+", "{field}/{1}", "plant/x", "", "x"),
        ("plant/+", "{field}", "plant/x", "", None),
        ("plant/+", "a/{field}/{1}", "plant/x", "", "a/x"),
        ("plant/#", "{1}", "plant/a/b/c", "t", "a/b/c"),
        ("plant/#", "{1}/{field}", "plant", "t", None),
        ("#", "{topic}/{field}", "a/b", "t", "a/b/t"),
        ("#", "{topic}", "a/b", "t", "a/b"),
        ("+", "{1}/{field}", "{field}", "{1}", "{field}/{1}"),
        ("+/x", "{1}", "/x", "", None),
        ("+", "{1}/{field}", "a", "b//c", "a/b//c"),
        ("#", "{topic}/{field}", "/a", "b\x1ec", "/a/b/c"),
        ("+", "{1}/{payload.id}-{payload.x?}/{field}", "a", "7\x1f\x1ft", "a/7/t"),
        ("+", "{1}/{payload.id}-{payload.x?}/{field}", "a", "7\x1f8\x1f", "a/7-8"),
        ("+", "{1}/{field}", "a", "b\n", None),
    ],
)
def test_a_template_gives_the_name(topic_filter: str, template: str, topic: str, path: str, name: str | None) -> None:
    assert name_of(topic_filter, template, topic, path) == name


@pytest.mark.parametrize(
    ("topic_filter", "template", "message"),
    [
        ("", "x", "the topic filter '' must not be empty"),
        ("a/#/b", "x", "may contain # only as its last level"),
        ("a/b#", "x", "may contain # only as its last level"),
        ("a+/b", "x", r"may contain \+ only as a whole level"),
        ("$SYS/#", "x", r"must not begin with \$"),
        ("$share/g/a", "x", r"must not begin with \$"),
        ("a/+", "", "the template '' must not be empty"),
        ("a/+", "{2}", r"asks for \{2\}, but the topic a/\+ has one wildcard"),
        ("a/b", "{1}", r"asks for \{1\}, but the topic a/b has no wildcard"),
        ("a/+", "{0}", r"knows no placeholder \{0\}"),
        ("a/+", "{name}", r"knows no placeholder \{name\}"),
        ("a/+", "{1", "has a brace without its partner"),
        ("a/+", "{}", r"knows no placeholder \{\}"),
        ("a/+", "/{1}", "must not have empty levels"),
    ],
)
def test_a_faulty_route_explains_the_error(topic_filter: str, template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        route(topic_filter, template)


def test_the_first_matching_route_reads_the_topic() -> None:
    number = Route("a/b", "{topic}", NumberDecoder(), Repetition.ON_CHANGE)
    wide, both = route("a/#"), [route("x"), number, route("a/#")]
    for _ in range(2):
        found = Routes([*both, wide], "own")
        first, second = found.find("a/b"), found.find("a/c")
        assert first is not None
        assert first.route is number
        assert second is not None
        assert second.route is both[2]
        assert found.find("b") is None


def test_a_topic_that_ends_in_a_slash_gives_a_name_that_does_not() -> None:
    assert name_of("#", "{topic}/{field}", "sensor/t/") == "sensor/t"
    assert name_of("#", "{topic}/{field}", "sensor/t/", "temp") == "sensor/t//temp"
    assert name_of("#", "{topic}/{field}", "/") is None


def test_what_describes_devices_to_home_assistant_is_read_only_by_a_filter_that_begins_with_its_name() -> None:
    gateways = GatewayTopics(USUAL_BASE, "gw")
    wide = Routes([route("#")], "own", gateways)
    for topic in (
        "homeassistant/sensor/x/config",
        "homeassistant/sensor/node/x/config",
        "homeassistant/device/y/config",
    ):
        assert wide.find(topic) is None
        assert wide.leaves_out(topic)
        assert Routes([route("homeassistant/#")], "own", gateways).find(topic) is not None
        assert not Routes([route("a/#")], "own", gateways).leaves_out(topic)
    assert wide.find("homeassistant/sensor/x/state") is not None


def test_topics_that_only_a_joined_filter_matches_are_left_out() -> None:
    routes = Routes([route("a/+/x"), route("a/b/+")], "own", joined=["a/+/+"])
    assert routes.find("a/c/y") is None
    assert routes.leaves_out("a/c/y")
    assert not routes.leaves_out("b/c/y")


def test_the_topics_of_the_service_and_of_the_broker_are_never_read() -> None:
    found = Routes([route("#"), route("edgewarden/#")], "edgewarden/gw")
    unread = ["edgewarden/gw", "edgewarden/gw/health", "edgewarden/gw/anomaly/a", "$SYS/uptime", "$SYS"]
    assert [found.find(topic) for topic in unread] == [None] * len(unread)
    for topic in ("edgewarden/gw2/health", "edgewarden", "a/edgewarden/gw", "a/$SYS"):
        assert found.find(topic) is not None


@pytest.mark.parametrize("name", ["a", "/a", "a//b", "line1/pump 3/t", "é" * 100, "a" * 200, "a.b", "$x", "{1}", "+"])
def test_usable_names(name: str) -> None:
    assert is_usable(name)


@pytest.mark.parametrize(
    "name",
    ["", "/", "a/", " a", "a ", "a/ /b", "a/b /c", "a\n", "a\x00b", "a\x7f", "a\x85b", "\ud800",
     "é" * 101, "a" * 201],
    ids=ascii,
)  # fmt: skip
def test_unusable_names(name: str) -> None:
    assert not is_usable(name)


@pytest.mark.parametrize(
    ("sensor", "topic"),
    [
        ("line1/pump3/temperature", "line1/pump3/temperature"),
        ("Außen 1", "Außen 1"),
        ("a+b#c.d%e~f", "a%2Bb%23c%2Ed%25e%7Ef"),
        ("a\x00b\x85", "a%00b%C2%85"),
        ("a%2Bb", "a%252Bb"),
        ("1/2/3/4/5", "1/2/3/4/5"),
        ("/a//b", "%2Fa/%2Fb"),
        ("1/2/3/4/5/6/7", "1/2/3/4/5%2F6%2F7"),
    ],
)
def test_a_name_is_encoded_as_a_topic(sensor: str, topic: str) -> None:
    assert topic_for(sensor, "edgewarden/gw/anomaly/") == topic


def test_reserved_unicode_characters_are_encoded_since_home_assistant_and_brokers_may_refuse_them() -> None:
    assert topic_for("a\ufdd0\ufffe\U0001ffffb") == "a%EF%B7%90%EF%BF%BE%F0%9F%BF%BFb"


@pytest.mark.parametrize(
    ("before", "slashes"), [("x/", 6), ("a/b/c/anomaly/", 3), ("1/2/3/4/5/6/7/", 0), ("1/2/3/4/5/6/7/8/", 0)]
)
def test_the_slashes_of_the_base_count_too(before: str, slashes: int) -> None:
    assert topic_for("a/b/c/d/e/f/g/h", before).count("/") == slashes


def test_truncated_names_remain_distinct() -> None:
    topics_out = {topic_for("a" * 190 + ending) for ending in ("x", "y", "z", "/x", ".x")}
    assert len(topics_out) == 5
    assert all("~" in each for each in topics_out)


names = st.text(
    st.sampled_from("ab/.%+#~2FE é€\x01") | st.characters(codec="utf-8"), min_size=1, max_size=220
) | st.builds(lambda one, times: one * times, st.text("a/.é%", min_size=1, max_size=9), st.integers(1, 40))


@pytest.mark.long
@seed(10)
@settings(max_examples=400, database=None)
@given(
    sensor=names,
    before=st.sampled_from([LONG_BASE, "b/anomaly/", f"{'b' * 128}/anomaly/", USUAL_BASE]),
)
@example(sensor="\ud800", before="b/anomaly/")
def test_an_outgoing_topic_respects_the_limits_of_every_broker(sensor: str, before: str) -> None:
    topic = before + topic_for(sensor, before)
    assert len(topic.encode()) <= 256
    assert topic.count("/") <= 7
    assert not set(topic) & set("+#.\x00\x01\x7f\x85")


@seed(11)
@settings(max_examples=400, database=None)
@given(one=names, other=names)
def test_two_names_never_share_a_topic(one: str, other: str) -> None:
    assume(one != other)
    assert topic_for(one) != topic_for(other)
    assert topic_for(topic_for(one)) != topic_for(one) or topic_for(one) == one


def test_a_name_can_not_look_like_a_truncated_one() -> None:
    cut = topic_for("a" * 200)
    assert topic_for(cut) != cut
