"""Created the stores in `stores/`, each with the code of the commit it is named after.

    mkdir old; git archive 84d5958 | tar -x -C old; PYTHONPATH=old python -P make_store.py 84d5958

Each committed format has one, from the commit that introduced it. Four sensors run for some minutes.
`fan` has a fault that ends before the snapshot, `pump` one that is open in it, `oven` one that begins after it, and
`valve` falls silent. Some events are delivered. Where the commit supports it, the sensors form a device, and the
operator has shelved a pattern and acknowledged the open incidents.
"""

from __future__ import annotations

import inspect
import json
import lzma
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.core.persistence import journal
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore

STORES = Path(__file__).parent / "stores"
CONFIGURATION = (STORES / "configuration.toml").read_text()
DEVICE = '[[device]]\nsensors = ["plant/**"]\n'
COMMANDS = "[commands]\nenabled = true\n"
START = 1_700_000_000.0
STEP, SNAPSHOT, END = 8, 160, 200
COMMANDS_SAID = (("shelve", b'{"sensor": "plant/fan", "until": "8h"}'), ("acknowledge", b'{"sensor": "plant/pump"}'))
FAULTS = {"fan": (80, 88), "pump": (120, END), "oven": (176, END)}


def messages(first: int, last: int) -> list[Message]:
    """The plant's messages between two seconds."""
    chance = random.Random(first)
    found = []
    for second in range(first, last):
        for place, sensor in enumerate(("pump", "fan", "oven", "valve")):
            begin, end = FAULTS.get(sensor, (0, 0))
            value = 95.0 if begin <= second < end else round(20 + chance.gauss(0, 1), 2)
            time = START + second + 0.125 * place
            if sensor != "valve" or second < SNAPSHOT:
                payload = json.dumps({"ts": time, "value": value}).encode()
                found.append(Message(f"plant/{sensor}", payload, time, qos=1, packet=4 * second + place + 1))
    return found


def understood():
    """The configuration, limited to the keys that the commit knows."""
    for more in (COMMANDS + DEVICE, COMMANDS, ""):
        try:
            return parse(CONFIGURATION + more, "fixture").configuration
        except Exception:  # noqa: BLE001, S112 - whatever an old version raises for a key that it doesn't know
            continue
    raise AssertionError("the configuration isn't understood")


def main(name: str) -> None:
    """Run the plant."""
    configuration = understood()
    digest = configuration.digest()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        store, pipeline = SqliteStore(path), make_pipeline(configuration)
        entry_first = "now" not in inspect.signature(store.append).parameters
        saved_with = (digest, configuration.inputs_digest()) if hasattr(configuration, "inputs_digest") else (digest,)

        def append(step, now: float) -> None:
            entry = step.journal if isinstance(step.journal, bytes | None) else journal.pack([step.journal])
            if entry_first:
                store.append(step.events, step.dead_letters, (now, entry or b""))
            else:
                store.append(step.events, step.dead_letters, entry, now=now)

        for second in range(0, END, STEP):
            append(pipeline.process(messages(second, second + STEP)), START + second + STEP)
            if second == SNAPSHOT - STEP:
                for command, said in COMMANDS_SAID if hasattr(pipeline, "follow") else ():
                    topic = f"{configuration.gateway.topic_base}/command/{command}"
                    step = pipeline.follow(Message(topic, said, START + SNAPSHOT, qos=1))
                    assert json.loads(step.answers[0])["ok"], step.answers
                    append(step, START + SNAPSHOT)
                store.confirm([row.sequence for row in store.pending(0, 2)], START + second)
                store.remember(pipeline.save(*saved_with), digest, START + SNAPSHOT)
        append(pipeline.tick(30.0), START + END + 30)
        store.close()
        (STORES / f"{name}.db.xz").write_bytes(lzma.compress(path.read_bytes(), preset=9))


if __name__ == "__main__":
    main(sys.argv[1])
