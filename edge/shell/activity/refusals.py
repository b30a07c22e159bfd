"""Refusals: what was refused, by reason, with the latest example of each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence

from edge.core.incidents.events import timestamp
from edge.core.model.counters import Counters
from edge.core.model.messages import DeadLetter
from edge.core.model.printable import printable, printable_bytes, shortened
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.input")

TOLD_S = 60.0
"""A reason is told at once, and then at most this often."""

LONGEST_TOPIC = 200
LONGEST_PAYLOAD = 120
LONGEST_DETAIL = 300


def refused_of(counters: Counters) -> Counter[str]:
    """Everything that was refused since the start, by reason: messages, readings and commands."""
    return counters.messages_refused + counters.readings_refused + counters.commands_refused


class Refusals:
    """Tells what is refused: a line a reason and minute, with how many there were and the latest example.

    Reasons are words of the program, so there are few. Dead letters are bounded by a rate; the counts are not.
    """

    def __init__(self) -> None:
        self._told: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}
        self._latest: dict[str, DeadLetter] = {}

    @property
    def reasons(self) -> int:
        """For how many reasons something was refused, as far as an example of it is known."""
        return len(self._latest)

    def begin(self, counters: Counters) -> None:
        """Leave out what was counted before now."""
        self._told = refused_of(counters)

    def note(self, letters: Sequence[DeadLetter], now: float, counters: Counters) -> None:
        """Take note of a commit's dead letters, and tell what is due; `now` in seconds that never step."""
        for each in letters:
            self._latest[each.refusal.reason] = each
        self._tell(now, counters, TOLD_S)

    def turn(self, now: float, counters: Counters) -> None:
        """Tell the rest of what was told before, where a minute is over.

        What is counted and has never been told has its example in a commit that is still to come.
        """
        self._tell(now, counters, TOLD_S, self._told_at.keys())

    def close(self, now: float, counters: Counters) -> None:
        """Tell all that wasn't told yet."""
        self._tell(now, counters, 0.0)

    def _tell(self, now: float, counters: Counters, pause_s: float, among: Collection[str] | None = None) -> None:
        total = refused_of(counters)
        for reason, count in (total - self._told).items():
            is_due = now - self._told_at.get(reason, -TOLD_S) >= pause_s
            if is_due and (among is None or reason in among):
                self._told_at[reason] = now
                self._told[reason] = total[reason]
                log.warning("refused reason=%s count=%d%s", reason, count, self._example(reason), extra=BOUNDED)

    def listed(self, counters: Counters) -> list[dict[str, object]]:
        """The input refused since the start, most frequent reason first, in the form of the status file."""
        return [
            {"reason": reason, "count": count, **self._shown(reason)}
            for reason, count in refused_of(counters).most_common()
        ]

    def _example(self, reason: str) -> str:
        shown = self._shown(reason)
        text = "".join(f" {name}={shown[name]!r}" for name in ("topic", "path", "detail") if shown.get(name))
        return f"{text} payload='{shown['payload']}'" if shown else ""

    def _shown(self, reason: str) -> dict[str, str]:
        letter = self._latest.get(reason)
        if letter is None:
            return {}
        return {
            "last": timestamp(letter.arrived),
            "topic": shortened(printable(letter.topic), LONGEST_TOPIC),
            "path": shortened(printable(letter.refusal.path), LONGEST_TOPIC),
            "detail": shortened(printable(letter.refusal.detail), LONGEST_DETAIL),
            "payload": printable_bytes(letter.beginning, LONGEST_PAYLOAD),
        }
