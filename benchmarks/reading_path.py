"""The path of one ordinary reading through the core: the files and calls involved.

    python benchmarks/reading_path.py [--files]

A pipeline with the shipped configuration learns 20 sensors from 200 readings each; then one ordinary reading of one of
them is processed by itself. Counted are the calls of Edgewarden's functions, the files that contain them, and the calls
from one file to another. Arithmetic is counted separately: functions in `detectors/numeric` stand for operators of
numpy, such as a minimum. The numbers are exact, and the same on any machine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline

ROOT = Path(__file__).parent.parent
START = 1_700_000_000.0
SENSORS, READINGS = 20, 200
OURS = ("config", "detectors", "edge")
ARITHMETIC = "detectors/numeric/"


def reading(sensor: int, number: int) -> Message:
    """An ordinary reading, whose value varies slightly."""
    time = START + number + sensor / SENSORS
    value = 20.0 + (sensor * 31 + number * 7) % 17 / 10
    return Message(f"plant/{sensor}/value", json.dumps({"value": value, "ts": time}).encode(), time)


def main() -> None:
    """Count the calls, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", action="store_true", help="say how many calls each file gets")
    arguments = parser.parse_args()
    pipeline = make_pipeline(parse('[[input]]\ntopic = "plant/#"\n', "benchmark").configuration)
    for number in range(READINGS):
        for sensor in range(SENSORS):
            pipeline.process([reading(sensor, number)])
    calls: Counter[str] = Counter()
    changes = operations = 0

    def note(frame: Any, event: str, _argument: Any) -> None:
        nonlocal changes, operations
        path = Path(frame.f_code.co_filename)
        if event != "call" or not any(path.is_relative_to(ROOT / each) for each in OURS):
            return
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(ARITHMETIC):
            operations += 1
            return
        calls[name] += 1
        caller = frame.f_back
        changes += caller is not None and caller.f_code.co_filename != frame.f_code.co_filename

    message = reading(0, READINGS)
    sys.setprofile(note)
    try:
        pipeline.process([message])
    finally:
        sys.setprofile(None)
    print(f"{sum(calls.values())} calls in {len(calls)} files; {changes} of them from another file")
    print(f"{operations} operations of arithmetic beside these")
    for name, count in calls.most_common() if arguments.files else ():
        print(f"  {count:4d}  {name}")


if __name__ == "__main__":
    main()
