"""Filters with wildcards for topics that are read with the same keys."""

from __future__ import annotations

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.routes import match
from edge.discovery.joining import FEW, joined

TOPICS = st.lists(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=5).map("/".join), unique=True)


@seed(11)
@settings(max_examples=300, database=None)
@given(topics=TOPICS, data=st.data())
def test_filters_match_all_of_the_topics_and_none_of_the_others(topics: list[str], data: st.DataObject) -> None:
    mine = [each for each in topics if data.draw(st.booleans())]
    others = [each for each in topics if each not in mine]
    filters = [each.split("/") for each in joined(mine, others)]
    assert len(filters) <= len(mine)
    assert all(any(match(one, each.split("/")) is not None for one in filters) for each in mine)
    assert not any(match(one, each.split("/")) is not None for one in filters for each in others)


def test_as_few_levels_as_suffice_are_wildcards() -> None:
    plant = [f"plant/line{line}/{kind}" for line in range(30) for kind in ("temp", "flow")]
    assert joined(plant, []) == ["plant/+/temp", "plant/+/flow"]
    assert joined(plant, ["plant/line7/flow/raw", "plant/line7/other"]) == ["plant/+/temp", "plant/+/flow"]
    assert joined([f"x/{number}/{number % 20}" for number in range(60)], []) == ["x/+/+"]
    assert joined([f"x/{number}" for number in range(60)], ["x/name"]) == [f"x/{number}" for number in range(60)]
    assert joined(["a", "b/c"], []) == ["a", "b/c"]
    assert FEW > 2


def test_a_wildcard_that_joins_nothing_is_not_proposed() -> None:
    devices = [f"device{number:02}/temp" for number in range(70)]
    assert joined([*devices, "plant/line1"], []) == ["+/temp", "plant/line1"]
    assert joined([*devices, "plant/line1", "plant/line2"], []) == ["+/temp", "plant/+"]
    assert joined([*devices, "plant/line1", "other/line2"], []) == ["+/temp", "plant/line1", "other/line2"]
