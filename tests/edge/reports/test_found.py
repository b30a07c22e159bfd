from __future__ import annotations

from typing import Any

from edge.reports.found import ToldKinds


def data(transition: str, kind: str, *conditions: str) -> dict[str, Any]:
    return {"transition": transition, "kind": kind, "conditions": [{"kind": each} for each in conditions]}


def test_a_kind_joins_with_the_first_update_that_tells_it() -> None:
    told = ToldKinds()
    told.hear(data("raised", "spike", "spike"), 100.0)
    told.hear(data("updated", "spike", "spike"), 200.0)
    told.hear(data("updated", "spike", "spike", "missing"), 300.0)
    told.hear(data("updated", "missing", "missing"), 400.0)
    told.hear(data("updated", "level_shift"), 500.0)
    assert told.joined == (300.0, 500.0)


def test_the_first_event_that_is_heard_of_an_incident_joins_nothing_to_it() -> None:
    told = ToldKinds()
    told.hear(data("updated", "spike", "rate"), 100.0)
    assert told.joined == ()


def test_neither_the_end_of_an_incident_nor_a_persons_word_is_an_update() -> None:
    told = ToldKinds()
    told.hear(data("raised", "spike"), 100.0)
    told.hear(data("acknowledged", "rate"), 200.0)
    told.hear(data("cleared", "level_shift"), 300.0)
    assert told.joined == ()
