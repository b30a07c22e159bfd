"""The fault matrix: a real broker, real processes, real kills, and a table of lost and duplicated events.

python tests/faults --kills 200 [--only NAME ...] [--share 0.1 | --short] [--seed N] [--keep FOLDER]

Every fault is compared with the truth: an offline run over exactly the readings that were published. In the table,

    lost      events of the truth that the consumer never received,
    doubled   received events that aren't in the truth, or that were repeated with other content,
    again     repeated deliveries of an event, unchanged: QoS 1 allows for them, and the id identifies them,
    recovery  the longest time from the end of a fault to the first new event; for an outage, until nothing was missing
              any more. Each module says more.

The exit code is 1 if anything was lost or doubled, or if other requirements of a fault weren't met.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from bench import Bench, Fault  # noqa: E402 - found by the path above
from matrix import FAULTS  # noqa: E402
from table import Table  # noqa: E402
from verdict import Outcome  # noqa: E402

from edge.shell.broker.embedded import find_mosquitto  # noqa: E402


def try_out(fault: Fault, bench: Bench) -> Outcome:
    """Run a fault; an error in it becomes a reason in its outcome."""
    try:
        return fault.run(bench)
    except Exception as error:  # noqa: BLE001 - one fault that can't be tried mustn't hide the others
        traceback.print_exc()
        return Outcome(bench.tries, reasons=[f"{type(error).__name__}: {error}"])


def main() -> int:
    """Run all faults, or some."""
    arguments = argparse.ArgumentParser(prog="tests/faults", description="What no fault may lose or double.")
    arguments.add_argument("--kills", type=int, default=200, help="how often the service is killed")
    arguments.add_argument("--only", nargs="+", default=[], help="parts of the names of faults")
    arguments.add_argument("--share", type=float, default=1.0, help="this share of the tries, but the kills")
    arguments.add_argument("--short", action="store_true", help="few tries each")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--keep", type=Path, help="folder for the files, which stay there")
    given = arguments.parse_args()
    if find_mosquitto() is None:
        print("mosquitto isn't installed", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all started processes are ended
    logging.getLogger("edgewarden").addHandler(logging.NullHandler())
    chosen = [each for each in FAULTS if not given.only or any(word in each.name for word in given.only)]
    table = Table([each.name for each in chosen])
    with tempfile.TemporaryDirectory(prefix="faults-") as temporary:
        base = given.keep or Path(temporary)
        for number, fault in enumerate(chosen):
            tries = fault.short if given.short else fault.tries_of(given.kills, given.share)
            if tries == 0:
                continue
            folder = base / f"{number:02}"
            folder.mkdir(parents=True)
            began = time.monotonic()
            outcome = try_out(fault, Bench(folder, random.Random(f"{given.seed} {fault.name}"), tries))
            table.row(fault.name, outcome, time.monotonic() - began)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
