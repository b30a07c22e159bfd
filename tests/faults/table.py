"""The table of outcomes, with a row as soon as a fault is finished."""

from __future__ import annotations

from collections.abc import Sequence

from verdict import Outcome

COLUMNS = ("tried", "expected", "received", "lost", "doubled", "again", "recovery s", "took s")


class Table:
    """Prints outcomes.

    Args:
        names: Names of the faults to come, for the width of the first column.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._width = max(map(len, [*names, "all faults"]))
        self._sum = Outcome(0)
        self._took = 0.0
        self._failed = 0
        print(f"{'fault':{self._width}}", *(f"{each:>10}" for each in COLUMNS), flush=True)

    def row(self, name: str, outcome: Outcome, took_s: float) -> None:
        """Print a row, followed by its problems."""
        self._print(name, outcome, took_s)
        for reason in dict.fromkeys(outcome.reasons):
            print(f"    FAILED: {reason}", flush=True)
        self._sum = self._sum.joined(outcome)
        self._took += took_s
        self._failed += not outcome.kept

    def end(self) -> int:
        """Print the total; returns 0 if all promises were kept, otherwise 1."""
        self._sum.note = f"{self._failed} FAILED" if self._failed else "all kept"
        self._print("all faults", self._sum, self._took)
        return 1 if self._failed else 0

    def _print(self, name: str, outcome: Outcome, took_s: float) -> None:
        worst = f"{max(outcome.recoveries):.2f}" if outcome.recoveries else "-"
        counts = (outcome.tried, outcome.expected, outcome.received, outcome.lost, outcome.doubled, outcome.again)
        cells = [*map(str, counts), worst, f"{took_s:.0f}"]
        note = f"  {outcome.note}" if outcome.note else ""
        print(f"{name:{self._width}}", *(f"{each:>10}" for each in cells), note, flush=True)
