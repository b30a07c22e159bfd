from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.notation.topics import (
    base_problem,
    covers,
    filter_problem,
    glob_pattern,
    glob_problem,
    overlap,
    placeholders,
    template_problem,
    wildcards_of,
)

LEVELS = st.sampled_from(["a", "b", ""])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]) or "#",
    st.lists(LEVELS | st.just("+"), max_size=3),
    st.sampled_from([[], ["#"]]),
)


def matches(topic_filter: str, topic: str) -> bool:
    levels, given_levels = topic_filter.split("/"), topic.split("/")
    if levels[-1] == "#":
        if len(given_levels) < len(levels) - 1:
            return False
        levels, given_levels = levels[:-1], given_levels[: len(levels) - 1]
    return len(levels) == len(given_levels) and all(
        level in {"+", other} for level, other in zip(levels, given_levels, strict=True)
    )


@given(FILTERS, FILTERS, TOPICS)
def test_filters_that_share_a_topic_overlap_and_so_do_wider_ones(one: str, other: str, topic: str) -> None:
    if matches(one, topic) and matches(other, topic):
        assert overlap(one, other)
        assert overlap(other, one)
    if covers(one, other) and matches(other, topic):
        assert matches(one, topic)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/#", "a/+/#", True),
        ("a/+", "a/b", True),
        ("a/+", "a/#", False),
        ("a/b", "a/+", False),
        ("a/b", "a/b/c", False),
        ("+/+", "a/b", True),
    ],
)
def test_a_filter_covers_another(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


@pytest.mark.parametrize("topic", ["a", "#", "+", "+/+/#", "/a", "a/", "a//b", "Ünïcode/温度"])
def test_filters_of_the_standard_are_accepted(topic: str) -> None:
    assert filter_problem(topic) is None


@pytest.mark.parametrize("topic", ["", "a#", "#/a", "a+", "$SYS/#", "$share/g/a", "a\0b", "x" * 257])
def test_other_filters_are_refused(topic: str) -> None:
    assert filter_problem(topic) is not None


@pytest.mark.parametrize("base", ["a", "a/b", "plant 7/x"])
def test_a_base_is_a_plain_topic(base: str) -> None:
    assert base_problem(base) is None


@pytest.mark.parametrize("base", ["", "/a", "a/", "a//b", "a/+", "#", "$a", "{x}", "a}", "x" * 129])
def test_other_bases_are_refused(base: str) -> None:
    assert base_problem(base) is not None


@pytest.mark.parametrize("template", ["{topic}", "{topic}/{field}", "{2}-{1}/{field}", "fixed", "{1}{2}"])
def test_templates_use_the_levels_of_a_topic(template: str) -> None:
    assert template_problem(template, "plant/+/#") is None


@pytest.mark.parametrize("template", ["", "{3}", "{01}", "{}", "{ 1}", "{{1}}", "{1", "1}", "/{1}", "{1}//{2}", "#"])
def test_other_templates_are_refused(template: str) -> None:
    assert template_problem(template, "plant/+/#") is not None


def test_wildcards_and_placeholders_are_counted() -> None:
    assert wildcards_of("a/+/b/+/#") == 3
    assert placeholders("{1}/x{field}") == {"1", "field"}


@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("line1/*/temperature", "line1/pump/temperature", True),
        ("line1/*/temperature", "line1/a/b/temperature", False),
        ("line1/**", "line1/a/b", True),
        ("line1/**", "line1", False),
        ("line1/**", "line12/a", False),
        ("**", "a/b/c", True),
        ("**", "", True),
        ("**/temperature", "temperature", True),
        ("**/temperature", "a/b/temperature", True),
        ("**/temperature", "a/xtemperature", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("pump*", "pump17", True),
        ("pump*", "pump/17", False),
        ("a.b", "axb", False),
        ("a[1]?", "a[1]?", True),
        ("**", "a\nb", True),
    ],
)
def test_a_glob_matches_levels(glob: str, name: str, expected: bool) -> None:
    assert (glob_pattern(glob).fullmatch(name) is not None) is expected


@given(st.text(st.characters(exclude_characters="*+#"), min_size=1, max_size=20))
def test_a_glob_without_stars_matches_only_that_name(name: str) -> None:
    assert glob_problem(name) is None
    assert glob_pattern(name).fullmatch(name)
    assert not glob_pattern(name).fullmatch(name + "x")


@pytest.mark.parametrize("glob", ["", "***", "a/+/b", "a/#", "x" * 257])
def test_other_globs_are_refused(glob: str) -> None:
    assert glob_problem(glob) is not None
