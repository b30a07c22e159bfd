"""Created `format-1.db.gz` and `format-1.json`, with the code that wrote stores of format 1.

    mkdir old; git archive 944a4f8 | tar -x -C old; PYTHONPATH=old python make_format_1.py

The plant runs for some minutes, is interrupted, and falls silent. Some events are delivered, and some readings follow
the snapshot. What that code restores from its own file, and its events for the readings of the next minutes, are what
later code must restore and report.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from config.loading import load
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline, recover
from edge.shell.store import SqliteStore

HERE = Path(__file__).parent
START = 1_700_000_000.0
STEP = 8
FAULTS = {("pump", 248): 95.0, ("fan", 304): 90.0, ("pump", 392): 99.0}


def messages(first: int, last: int) -> list[Message]:
    """The plant's messages between two seconds."""
    chance = random.Random(first)
    found = []
    for second in range(first, last):
        for place, sensor in enumerate(("pump", "fan", "oven")):
            time = START + second + 0.25 * place
            usual = round(20 + chance.gauss(0, 1), 2)
            value = FAULTS.get((sensor, second - second % STEP), usual)
            payload = json.dumps({"ts": time, "value": value}).encode()
            found.append(Message(f"plant/{sensor}", payload, time, qos=1))
    return found


def main() -> None:
    """Run the plant."""
    configuration = load(HERE / "format-1.toml")
    digest = configuration.digest()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        store = SqliteStore(path)
        pipeline = make_pipeline(configuration)
        for second in range(0, 400, STEP):
            taken = messages(second, second + STEP)
            if second % 100 == 0:
                taken.append(Message("plant/pump", b"\xff not json", START + second, qos=1))
            step = pipeline.process(taken)
            store.append(step.events, step.dead_letters, (START + second + STEP, step.journal or b""))
            if second == 320:
                store.confirm([row.sequence for row in store.pending(0, 3)], START + second)
                pipeline.interrupted()
            if second == 376:
                store.remember(pipeline.save(digest), digest, START + second)
        step = pipeline.tick(30.0)
        store.append(step.events, step.dead_letters, (START + 430, step.journal or b""))
        store.close()
        (HERE / "format-1.db.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        store = SqliteStore(path)
        again = recover(configuration, store)
        following = messages(440, 460)
        found = {
            "sensors": again.sensors.names,
            "open": sorted(each["id"] for each in map(json.loads, again.retained_now().values()) if "id" in each),
            "messages": [[each.topic, each.payload.decode(), each.arrived] for each in following],
            "cleared": [
                [event.incident, event.kind]
                for event in again.process(following).events
                if event.transition == "cleared"
            ],
        }
        store.close()
        (HERE / "format-1.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
