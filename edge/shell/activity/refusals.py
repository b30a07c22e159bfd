"""Refusals: refused input, by input and reason, with the latest example of each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from edge.core.incidents.events.event import timestamp
from edge.core.model.counters import Counters
from edge.core.model.notation.printable import printable, printable_bytes, shortened
from edge.core.model.readings.messages import DeadLetter
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.input")

TOLD_S = 60.0
"""Minimum interval between log lines for a reason, after the first."""

LONGEST_TOPIC = 200
LONGEST_PAYLOAD = 120
LONGEST_DETAIL = 300


Kind = tuple[str, str]
"""The topic filter of an input, empty if none subscribes to it, and a reason."""


def refused_of(counters: Counters) -> Counter[Kind]:
    """Everything that was refused since the start: messages, readings and commands."""
    commands = {("", reason): count for reason, count in counters.commands_refused.items()}
    return counters.refused_of_inputs + Counter(commands)


class Refusals:
    """Logs refusals: one line per input, reason and minute, with their number and the latest example.

    Inputs and reasons are few, because they come from the operator and the program. Dead letters are rate-limited;
    counts aren't.

    Args:
        input_of: Returns the filter of the input that reads a topic; None if none does.
    """

    def __init__(self, input_of: Callable[[str], str | None]) -> None:
        self._input_of = input_of
        self._logged: Counter[Kind] = Counter()
        self._told_at: dict[Kind, float] = {}
        self._latest: dict[Kind, DeadLetter] = {}

    @property
    def kinds(self) -> int:
        """Number of combinations of input and reason with a known example."""
        return len(self._latest)

    def begin(self, counters: Counters) -> None:
        """Ignore everything counted so far."""
        self._logged = refused_of(counters)

    def note(self, letters: Sequence[DeadLetter], now: float, counters: Counters) -> None:
        """Record a commit's dead letters, and log what is due; `now` in seconds of a monotonic clock."""
        for each in letters:
            self._latest[self._input_of(each.topic) or "", each.refusal.reason] = each
        self._tell(now, counters, TOLD_S)

    def turn(self, now: float, counters: Counters) -> None:
        """Log the further refusals of a reason once a minute is over.

        Counts that were never logged have their example in a later commit.
        """
        self._tell(now, counters, TOLD_S, self._told_at.keys())

    def close(self, now: float, counters: Counters) -> None:
        """Log everything pending."""
        self._tell(now, counters, 0.0)

    def _tell(self, now: float, counters: Counters, pause_s: float, among: Collection[Kind] | None = None) -> None:
        total = refused_of(counters)
        for kind, count in (total - self._logged).items():
            is_due = now - self._told_at.get(kind, -TOLD_S) >= pause_s
            if is_due and (among is None or kind in among):
                self._told_at[kind] = now
                self._logged[kind] = total[kind]
                of_input, reason = kind
                asked = f" input={of_input!r}" if of_input else ""
                log.warning("refused reason=%s count=%d%s%s", reason, count, asked, self._example(kind), extra=BOUNDED)

    def listed(self, counters: Counters) -> list[dict[str, object]]:
        """The input refused since the start, most frequent kind first, in the form of the status file."""
        return [
            {"reason": kind[1], "input": kind[0], "count": count, **self._shown(kind)}
            for kind, count in refused_of(counters).most_common()
        ]

    def _example(self, kind: Kind) -> str:
        shown = self._shown(kind)
        text = "".join(f" {name}={shown[name]!r}" for name in ("topic", "path", "detail") if shown.get(name))
        return f"{text} payload='{shown['payload']}'" if shown else ""

    def _shown(self, kind: Kind) -> dict[str, str]:
        letter = self._latest.get(kind)
        if letter is None:
            return {}
        return {
            "last": timestamp(letter.arrived),
            "topic": shortened(printable(letter.topic), LONGEST_TOPIC),
            "path": shortened(printable(letter.refusal.path), LONGEST_TOPIC),
            "detail": shortened(printable(letter.refusal.detail), LONGEST_DETAIL),
            "payload": printable_bytes(letter.beginning, LONGEST_PAYLOAD),
        }
