"""The tally: every refusal is counted in the log, and no number of them floods it."""

from __future__ import annotations

import logging

import pytest

from edge.core.model.readings.messages import DeadLetter, Message, Refusal
from edge.fleet.engines.tally import EVERY_S, RefusalTally


def test_counts_are_logged_once_a_minute_and_the_first_of_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    clock = [100.0]
    tally = RefusalTally(logging.getLogger("tally"), lambda: clock[0])
    letter = DeadLetter.of(Message("a\n/b", b"{", 1.7e9), Refusal("malformed", "", "no JSON"))
    with caplog.at_level(logging.WARNING):
        tally.add({})
        assert caplog.messages == []
        for _ in range(10):
            tally.add({"malformed": 2}, [letter, letter])
        assert caplog.messages == [
            r"refused topic=a\x0a/b reason=malformed path= detail=no JSON",
            "refused malformed=2",
            r"refused topic=a\x0a/b reason=malformed path= detail=no JSON",
        ]
        clock[0] += EVERY_S
        tally.add({"no_route": 1})
    assert caplog.messages[3:] == ["refused malformed=18 no_route=1"]
