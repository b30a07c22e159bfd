"""The contribution of each part of the contextual detector: NAB's scores with one of them left out at a time.

    python benchmarks/ablations.py PATH [--size light]

PATH is a copy of github.com/numenta/NAB. A part is left out by giving its decades no weight. Everything else,
including the fixed threshold, is unchanged, so a part that others can replace appears to contribute little.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from detectors.contextual import Contextual, detector
from edge.evaluation.nab import THRESHOLD, detections, read_folder, run
from edge.evaluation.nab_scoring import PROFILES, at_threshold, best_threshold

EVERYTHING = "everything"
PARTS = ("level away", "range break", "season level", "hour residual", "spread", "neighbours")
"""In the order of `detector.WEIGHTS`."""


def measure(without: str, path: Path, size: str) -> list[tuple[float, float]]:
    """NAB's scores at the fixed and at the best threshold, one pair per profile in `PROFILES`."""
    weights = zip(PARTS, detector.WEIGHTS, strict=True)
    detector.WEIGHTS = tuple(0.0 if part == without else weight for part, weight in weights)
    series = read_folder(path)
    surprise = run(Contextual(size=size), series)
    files = [(each.truth, detections(decades, THRESHOLD)) for each, decades in zip(series, surprise, strict=True)]
    return [(at_threshold(files, 0.5, each).score, best_threshold(files, each).score) for each in PROFILES]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--size", choices=("light", "full"), default="full")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    parts = [each for each in (EVERYTHING, *PARTS) if each != "neighbours" or given.size == "full"]
    print(f"{given.size:18}" + "".join(f"{each.name:>20}" for each in PROFILES) + "   fixed, at the best threshold")
    with ProcessPoolExecutor(given.workers, max_tasks_per_child=1) as workers:
        scored = workers.map(partial(measure, path=given.path, size=given.size), parts)
        for without, scores in zip(parts, scored, strict=True):
            name = without if without == EVERYTHING else f"- {without}"
            print(f"{name:18}" + "".join(f"{fixed:13.1f}, {best:5.1f}" for fixed, best in scores), flush=True)


if __name__ == "__main__":
    main()
