"""Speed, memory and latency, each figure against a peer or a limit in the same run.

See docs/explanation/performance.md.

    python benchmarks/bench.py [--quick] [--only PART ...] [--runs N] [--soak SECONDS] [--json FILE]

Exits with 1 if a goal is missed. Needs mosquitto, mosquitto-clients and the extra `bench`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import contextual
import engine
import footprint
import ingest
import large_plant
import latency
import many_sensors
import page
import quiet
from figures import Figure, table

PARTS: dict[str, Callable[..., list[Figure]]] = {
    "quiet": quiet.plant,
    "engine": engine.alone,
    "contextual": contextual.alone,
    "ingest": ingest.one_by_one,
    "packs": ingest.in_packs,
    "latency": latency.of_events,
    "large": large_plant.whole,
    "many": many_sensors.whole,
    "footprint": footprint.start,
    "page": page.whole,
}


def main() -> int:
    """Run the measurements and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less load, three runs: for a look, not for a claim")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "soak"], help="only these parts")
    parser.add_argument("--runs", type=int, help="runs of each part; the median counts (default: 5)")
    parser.add_argument("--soak", type=float, default=60.0, help="seconds of the part soak (default: 60)")
    parser.add_argument("--json", type=Path, help="where the figures go as JSON lines (default: standard output)")
    given = parser.parse_args()
    runs = given.runs or (3 if given.quick else 5)
    figures: list[Figure] = []
    for name in given.only or [*PARTS, "soak"]:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = footprint.soak(given.soak) if name == "soak" else PARTS[name](runs, quick=given.quick)
        print(table(found), flush=True)  # the whole run takes an hour, and may be ended before
        figures += found
    lines = "\n".join(each.as_json() for each in figures)
    if given.json is None:
        print(f"\n{lines}\n")
    else:
        given.json.write_text(f"{lines}\n")
    goals = [each for each in figures if each.has_goal]
    print("\n".join(each.as_goal() for each in goals))
    held = sum(each.holds for each in goals)
    print(f"{held} of {len(goals)} goals hold")
    return 0 if held == len(goals) else 1


if __name__ == "__main__":
    sys.exit(main())
