"""A store in which a service has worked for a while, and its content, so that it can be damaged and compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from store_examples import event, letter

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import JournalError, pack, unpack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore, StoreLimits

NOW = 1_700_000_000.0
LIMITS = StoreLimits(free_disk_bytes=0)
CONFIGURATION = parse('[[input]]\ntopic = "plant/#"\n', "test").configuration


class Filled(NamedTuple):
    """What is in it.

    Attributes:
        path: The file; its log, if any, is in the same folder.
        payloads: Of all events.
        waiting: Sequence numbers of the waiting events.
        entries: Journal entries, in order; the snapshot covers the first of them.
        last: The last sequence.
    """

    path: Path
    payloads: set[bytes]
    waiting: list[int]
    entries: list[bytes]
    last: int

    def __repr__(self) -> str:
        return f"Filled({self.path})"

    def copied(self, folder: Path) -> Path:
        """A copy to be damaged."""
        for each in self.path.parent.glob("store.db*"):
            shutil.copy(each, folder / each.name)
        return folder / "store.db"


def readings(second: int) -> list[Message]:
    """The plant's readings in one second; two sensors are new then, and again every ten seconds."""
    names = [f"plant/{number}" for number in range(2 * (1 + second // 10))]
    payload = json.dumps({"ts": NOW + second, "value": 20.0 + second % 7}).encode()
    return [Message(name, payload, NOW + second, qos=1) for name in names]


def filled(folder: Path, *, events: int = 60, entries: int = 40, covered: int = 25, closed: bool = True) -> Filled:
    """Create one; the payloads of its events differ greatly in size.

    Args:
        folder: Where.
        events: Number of events; every third is delivered.
        entries: How many journal entries.
        covered: Number of entries that the snapshot covers.
        closed: Whether the service has stopped; if not, the store is left as by a killed one, with part of it in the
        log.
    """
    folder.mkdir()
    pipeline = make_pipeline(CONFIGURATION)
    store = SqliteStore(folder / "working.db", "process", LIMITS)
    kept = []
    for number in range(1, entries + 1):
        step = pipeline.process(readings(number))
        kept.append(pack([step.journal] if step.journal else []))
        store.append([], [letter()], kept[-1], now=NOW + number)
        if number == covered:
            digest, inputs = CONFIGURATION.digest(), CONFIGURATION.inputs_digest()
            store.remember(pipeline.save(digest, inputs), digest, NOW + number)
    made = []
    for number in range(1, events + 1):
        payload = json.dumps({"number": number, "text": "ü" * (number**2 % 2500)}, ensure_ascii=False).encode()
        made.append(event(number, incident=f"incident {number // 3}")._replace(payload=payload))
        store.append(made[-1:], [], now=NOW + number)
    store.confirm(range(3, events + 1, 3), NOW + events)
    if closed:
        store.close()
    for end in ("", "-wal"):
        if Path(f"{store.path}{end}").exists():
            shutil.copy(f"{store.path}{end}", folder / f"store.db{end}")
    if not closed:
        store.close()
    waiting = [each for each in range(1, events + 1) if each % 3]
    return Filled(folder / "store.db", {each.payload for each in made}, waiting, kept, events)


def is_damaged(entry: bytes) -> bool:
    """Whether a journal entry is known to be damaged."""
    try:
        unpack(entry)
    except JournalError:
        return True
    return False
