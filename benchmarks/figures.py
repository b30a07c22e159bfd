"""Figures: what was measured, against what, and whether the goal is reached."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Figure:
    """One row of the table.

    Attributes:
        part: The part of the benchmark that it belongs to.
        name: What was measured.
        unit: Of `ours` and `theirs`.
        ours: One number a run.
        theirs: The peer's in the same runs, in the same order; empty where a limit is the measure.
        peer: Who that is.
        least: The goal: the ratio to the peer, or the number itself without one, is at least this.
        most: The goal: it is at most this.
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
        """Ours as a multiple of the peer's, run by run."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)] if self.theirs else []

    @property
    def judged(self) -> float:
        """What the goal is about: the median of the ratios, or of the numbers."""
        return median(self.ratios or self.ours)

    @property
    def has_goal(self) -> bool:
        """Whether there is one; other figures are only told."""
        return self.least is not None or self.most is not None

    @property
    def holds(self) -> bool:
        """Whether the goal is reached."""
        above = self.least is None or self.judged >= self.least
        return above and (self.most is None or self.judged <= self.most)

    @property
    def noise(self) -> float:
        """How far the runs lie apart: the largest minus the smallest, as a share of the median."""
        judged = self.ratios or self.ours
        return (max(judged) - min(judged)) / median(judged) if median(judged) else 0.0

    def as_row(self) -> list[str]:
        """The columns of the table."""
        goal = "-"
        if self.least is not None:
            goal = f">= {self.least:g}"
        elif self.most is not None:
            goal = f"<= {self.most:g}"
        verdict = ("yes" if self.holds else "NO") if self.has_goal else ""
        theirs = f"{median(self.theirs):,.4g} {self.peer}" if self.theirs else ""
        ratio = f"{self.judged:.2f}" if self.theirs else ""
        noise = f"{100 * self.noise:.0f} %"
        return [self.part, self.name, f"{median(self.ours):,.4g} {self.unit}", theirs, ratio, noise, goal, verdict]

    def as_json(self) -> str:
        """One line of JSON."""
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


HEADINGS = ["part", "figure", "ours", "peer", "ratio", "noise", "goal", "holds"]


def table(figures: list[Figure]) -> str:
    """All figures as a table in Markdown."""
    rows = [HEADINGS, *(each.as_row() for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
