"""Figures: a measurement, what it is compared with, and whether its goal is reached."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Figure:
    """One row of the table.

    Attributes:
        part: Part of the benchmark that the figure belongs to.
        name: What was measured.
        unit: Unit of `ours` and `theirs`.
        ours: One value per run.
        theirs: The peer's values in the same runs and order; empty if the goal is a limit.
        peer: Name of the peer.
        least: Goal: minimum of the ratio to the peer, or of the value itself without a peer.
        most: Goal: maximum of the same.
    """

    part: str
    name: str
    unit: str
    ours: list[float]
    theirs: list[float] = field(default_factory=list)
    peer: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def ratios(self) -> list[float]:
        """The ratio of our value to the peer's, per run."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)] if self.theirs else []

    @property
    def judged(self) -> float:
        """The number that the goal applies to: the median of the ratios, or of the values."""
        return median(self.ratios or self.ours)

    @property
    def has_goal(self) -> bool:
        """Whether there is a goal; other figures are only reported."""
        return self.least is not None or self.most is not None

    @property
    def holds(self) -> bool:
        """Whether the goal is reached."""
        above = self.least is None or self.judged >= self.least
        return above and (self.most is None or self.judged <= self.most)

    @property
    def noise(self) -> float:
        """The spread of the runs: maximum minus minimum, as a fraction of the median."""
        judged = self.ratios or self.ours
        return (max(judged) - min(judged)) / median(judged) if median(judged) else 0.0

    @property
    def goal(self) -> str:
        """The goal in words; a dash for none."""
        if self.least is not None:
            return f">= {self.least:g}"
        return "-" if self.most is None else f"<= {self.most:g}"

    @property
    def verdict(self) -> str:
        """Whether the goal is held or missed; empty if there is none."""
        return ("held" if self.holds else "MISSED") if self.has_goal else ""

    def as_goal(self) -> str:
        """The goal, the number that it applies to, and whether it is held, in one line."""
        number = f"{self.judged:.2f} of {self.peer}" if self.theirs else f"{self.judged:,.4g} {self.unit}".rstrip()
        return f"{self.verdict:6} {self.part}: {self.name}: {number}, goal {self.goal}"

    def as_row(self) -> list[str]:
        """The cells of the table's row."""
        theirs = f"{median(self.theirs):,.4g} {self.peer}" if self.theirs else ""
        ratio = f"{self.judged:.2f}" if self.theirs else ""
        noise = f"{100 * self.noise:.0f} %"
        return [
            self.part,
            self.name,
            f"{median(self.ours):,.4g} {self.unit}",
            theirs,
            ratio,
            noise,
            self.goal,
            self.verdict,
        ]

    def as_json(self) -> str:
        """The figure as one line of JSON."""
        return json.dumps(
            {
                "part": self.part,
                "name": self.name,
                "unit": self.unit,
                "ours": self.ours,
                "peer": self.peer or None,
                "theirs": self.theirs,
                "judged": self.judged,
                "at_least": self.least,
                "at_most": self.most,
                "holds": self.holds if self.has_goal else None,
            }
        )


HEADINGS = ["part", "figure", "ours", "peer", "ratio", "noise", "goal", "verdict"]


def table(figures: list[Figure]) -> str:
    """All figures as a table in Markdown."""
    rows = [HEADINGS, *(each.as_row() for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
