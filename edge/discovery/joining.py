"""Joining: few filters with `+` for many topics that are read with the same keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

FEW = 8
"""Up to as many inputs with the same keys are left as they are."""

MOST_VARYING = 6
"""Maximum number of levels that are tried as wildcards, from the first that varies."""

SHARE = 10
"""Filters with fewer wildcards are preferred if there is at most one for as many topics, or there are few."""


def joined(topics: Sequence[str], others: Iterable[str]) -> list[str]:
    """Filters that match all of some topics and none of the others; a topic that can't be joined is its own filter.

    Args:
        topics: Topics that are read with the same keys.
        others: Topics that are read with other keys, or not at all.
    """
    by_depth: dict[int, list[list[str]]] = {}
    for each in topics:
        by_depth.setdefault(each.count("/"), []).append(each.split("/"))
    foreign: dict[int, list[list[str]]] = {}
    for each in others:
        if each.count("/") in by_depth:
            foreign.setdefault(each.count("/"), []).append(each.split("/"))
    return [one for depth, levels in by_depth.items() for one in _of_one_depth(levels, foreign.get(depth, []))]


def _of_one_depth(topics: list[list[str]], others: list[list[str]]) -> list[str]:
    """The filters for topics with the same number of levels; those that a wildcard joins with none are joined anew."""
    best = _best(topics, others)
    lone = [each for each in topics if "/".join(each) in best]
    if not lone or len(lone) == len(topics):
        return best
    return [each for each in best if each.split("/") not in lone] + _of_one_depth(lone, others)


def _best(topics: list[list[str]], others: list[list[str]]) -> list[str]:
    varying = [place for place in range(len(topics[0])) if len({each[place] for each in topics}) > 1]
    best = ["/".join(each) for each in topics]
    for wildcards in range(1, min(len(varying), MOST_VARYING) + 1):
        for places in combinations(varying[:MOST_VARYING], wildcards):
            found = _with_wildcards(topics, others, frozenset(places))
            best = found if len(found) < len(best) else best
        if len(best) <= max(FEW, len(topics) // SHARE):
            break
    return best


def _with_wildcards(topics: list[list[str]], others: list[list[str]], places: frozenset[int]) -> list[str]:
    """The filters with wildcards at these levels; a topic that would be alone, or together with others, is its own."""
    together = Counter(_filter(each, places) for each in topics)
    taken = {_filter(each, places) for each in others}
    alone = {one for one, count in together.items() if count == 1 or one in taken}
    return list(dict.fromkeys("/".join(each) if (one := _filter(each, places)) in alone else one for each in topics))


def _filter(levels: list[str], places: frozenset[int]) -> str:
    return "/".join("+" if place in places else level for place, level in enumerate(levels))
