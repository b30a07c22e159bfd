"""The speed of draining a backlog into each kind of sink, with its real receiver.

python benchmarks/sinks.py [KIND...]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "helpers")]

from sink_line import SinkLine, sink_event  # noqa: E402 - the path comes first
from sink_receivers import RECEIVERS, KafkaReceiver  # noqa: E402

from edge.shell.sinks.options import SinkOptions  # noqa: E402

EVENTS, SENSORS = 50_000, 100


def measure(kind: str) -> float:
    """Events per second for a backlog of events of about a kilobyte, from storage to the last confirmation."""
    with tempfile.TemporaryDirectory() as folder:
        receiver = RECEIVERS[kind](Path(folder))
        receiver.start()
        line = SinkLine(Path(folder), SinkOptions("out", kind, receiver.how(), begin="beginning"))
        line.store_events(sink_event(n, f"line1/pump{n % SENSORS}", more="x" * 500) for n in range(1, EVENTS + 1))
        began = time.monotonic()
        line.run_through(EVENTS, 3600)
        seconds = time.monotonic() - began
        line.close()
        receiver.close()
    return EVENTS / seconds


if __name__ == "__main__":
    KafkaReceiver.settings = {}  # a topic as it comes
    for each in sys.argv[1:] or RECEIVERS:
        print(f"{each}: {EVENTS:,} events at {measure(each):,.0f} a second")
