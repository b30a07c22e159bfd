"""The store's file is damaged while the service is stopped: truncated, or with flipped bits.

The service must start nevertheless. It moves damaged parts aside and reports them in a gap event; learned state may
then be lost. Therefore several truths are possible for the events after the damage, and one of them must be met:

- that of an offline run over everything that was published, if the learned state could be kept,
- that of a run over what followed the damage, if everything was lost,
- that of a run over the readings still in the service's journal: SQLite can't notice that its log was cut at the end of
  a transaction, and then the service is back at an earlier moment, as after a power cut.

All events from before the damage must have been received, and new events must follow afterwards. Events that fit none
of these truths are lost or doubled, unless a gap event reports that the store was damaged: then they are explained, and
only counted in the note.

Recovery: from the start of the process to the first new event.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from bench import Bench, Fault, times
from journal import exported
from plant import single
from rig import Plan, Rig
from running import wait_until
from verdict import Outcome, Truth, offline

BEFORE = 3000
"""Posts before the damage."""

AFTER = 2500
"""Posts after the damage: enough to relearn, and for incidents to occur."""

FLIPS = (1, 20, 500)


def damaged(bench: Bench, spoil: Callable[[Path, random.Random], None]) -> Outcome:
    """Damage the store a few times, each time on a new rig, alternately after a proper end and after a kill.

    After a proper end everything is in one file; after a kill much of it is in the write-ahead log.
    """
    outcome = Outcome(0)
    aside = reported = explained = silent = 0
    for number in range(bench.tries):
        folder = bench.folder / f"{number:03}"
        folder.mkdir()
        one = Outcome(1)
        with Rig(folder, single(bench.chance.randrange(1 << 30)), Plan(per_second=None), warm_up=0) as rig:
            unlike, set_back = _try(rig, one, lambda path: spoil(path, bench.chance), killed=number % 2 == 1)
            explained += unlike
            moved = [each for each in folder.glob("store.db.damaged-*") if not each.name.endswith(("-wal", "-shm"))]
            gaps = [each["data"]["reason"] for each in rig.listener.gaps.values()]
            one.demand(bool(moved) <= ("store_damaged" in gaps), "a file was moved aside, and no gap event says so")
            aside += bool(moved)
            reported += "store_damaged" in gaps
            silent += set_back and "store_damaged" not in gaps
        one.reasons = [f"try {number}: {reason}" for reason in one.reasons]
        outcome = outcome.joined(one)
    outcome.note = (
        f"moved aside {aside}, gap events {reported}, events explained by them {explained}, "
        f"set back without a word {silent}"
    )
    return outcome


def _try(rig: Rig, outcome: Outcome, spoil: Callable[[Path], None], *, killed: bool) -> tuple[int, bool]:
    """One run with damage in the middle.

    Returns:
        Number of events that fit no truth and are explained by a gap event, and whether the service had lost its state.
    """
    rig.start(subscribed=True)
    rig.messenger.publish(BEFORE)
    before = rig.truth()
    rig.settle(before)
    if killed:
        rig.service.kill()
    else:
        rig.end(outcome)
    middle = len(rig.messenger.readings())
    spoil(rig.store)
    rig.start()
    rig.messenger.publish(AFTER)
    outcome.recoveries.append(rig.wait_new_event(rig.starts[-1]))
    _wait_quiet(rig)
    rig.end(outcome)
    heard = rig.listener.first.keys()
    outcome.demand(not before.keys() - heard, "an event from before the damage is missing")
    outcome.demand(heard - before.keys(), "no events came after the damage")
    rig.judge_words(outcome, frozenset({"store_damaged"}))
    trials = [_held_against(truth, before, rig) for truth in _truths(rig, middle)]
    met = next((each for each in trials if each.kept), None)
    reported = any(gap["data"]["reason"] == "store_damaged" for gap in rig.listener.gaps.values())
    explained = 0
    if met is None and reported:
        explained = min(each.lost + each.doubled for each in trials)
        met = Outcome(0, len(heard), len(heard))
    chosen = met or min(trials, key=lambda each: each.lost + each.doubled)
    outcome.expected, outcome.received, outcome.again = chosen.expected, chosen.received, trials[0].again
    outcome.lost, outcome.doubled = chosen.lost, chosen.doubled
    return explained, not trials[0].kept


def _truths(rig: Rig, middle: int) -> Iterator[Truth]:
    """The possible truths: all was kept, only what followed the damage was learned, or only what the journal has."""
    yield rig.truth()
    yield offline(rig.service.path, rig.messenger.readings()[middle:])
    with suppress(RuntimeError):
        yield offline(rig.service.path, exported(rig.store))


def _held_against(truth: Truth, before: Truth, rig: Rig) -> Outcome:
    """The events received after the damage, compared with one truth; earlier events may be repeated."""
    outcome = Outcome(0, len(truth.keys() | before.keys()), len(rig.listener.first))
    outcome.lost = len((truth.keys() | before.keys()) - rig.listener.first.keys())
    later = [each for each in rig.listener.arrivals if each.at > rig.starts[-1]]
    wrong = {
        each.id
        for each in later
        if each.substance not in {known[each.id].substance for known in (truth, before) if each.id in known}
    }
    outcome.doubled = len(wrong)
    outcome.again = len(rig.listener.arrivals) - len(rig.listener.first)
    return outcome


def _wait_quiet(rig: Rig, quiet_s: float = 2.0) -> None:
    """Wait until the service has read everything, and nothing new has arrived for a while."""

    def is_quiet() -> bool:
        newest = (rig.listener.new_at or [0.0])[-1]
        return time.monotonic() - newest > quiet_s and rig.listener.latest("health").get("backlog_events") == 0

    try:
        wait_until(is_quiet, 60, "the last event")
    except AssertionError as error:
        log = rig.service.log.read_text(errors="replace").splitlines()[-20:]
        raise AssertionError(f"{error}; health: {rig.listener.latest('health')}; log:\n" + "\n".join(log)) from error


def cut_short(path: Path, chance: random.Random) -> None:
    """Truncate the file, or its log, at a random position."""
    victims = [path, *(each for each in (Path(f"{path}-wal"),) if each.exists() and each.stat().st_size)]
    victim = chance.choice(victims)
    with victim.open("r+b") as file:
        file.truncate(chance.randrange(victim.stat().st_size))


def flip(path: Path, chance: random.Random) -> None:
    """Flip bits at random positions of the file and of its log."""
    for each in (path, Path(f"{path}-wal")):
        if not each.exists() or not each.stat().st_size:
            continue
        with each.open("r+b") as file:
            for _ in range(chance.choice(FLIPS)):
                place = chance.randrange(each.stat().st_size)
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ 1 << chance.randrange(8)]))


FAULTS = [
    Fault("store cut short", lambda bench: damaged(bench, cut_short), times(15), 1),
    Fault("bytes of the store flipped", lambda bench: damaged(bench, flip), times(15), 1),
]
