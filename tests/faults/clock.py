"""The gateway's wall clock is wrong: set forward and back while the service runs, or wrong from the start.

The wall clock of a Python process is `time.time`; a `sitecustomize` module in the service's path adds an offset from a
file to it. (libfaketime 0.9.10 isn't usable: with an unchanged monotonic clock it breaks `time.sleep`.) Readings carry
their own times, so no event may change. `limits.future_s` is large here: with the clock set far back, readings would
sometimes seem to be in the future, and an event would be late.

Where the clock is wrong from the start, or for a while, events accumulate in the store because their broker is stopped,
and the service is killed repeatedly. Nothing may be refused, and no undelivered event or reading may be deleted.

Recovery: from the step to the first new event; with kills, from the start of the process to the first event after its
clock was corrected and the broker of the events was restarted.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench import Bench, Fault, times
from journal import exported
from plant import BEGIN, single
from rig import Plan, Rig
from running import ROOT, wait_until
from verdict import Outcome

STEPS_S = (3600, -3600, 30 * 86_400, -400 * 86_400, 5, -5, 365 * 86_400, -30, 0)

MOVED_CLOCK = """
import time
from pathlib import Path

true_time, setting = time.time, Path({setting!r})
time.time = lambda: true_time() + float(setting.read_text())
"""


def stepped(bench: Bench) -> Outcome:
    """The wall clock steps forward and back."""
    outcome = Outcome(bench.tries)
    setting = bench.folder / "clock"
    _set(setting, RIGHT)
    plan = Plan(tables={"limits": "future_s = 31536000"}, environment=_moved(bench, setting))
    ahead = 0
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for number in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            ahead = STEPS_S[number % len(STEPS_S)]
            _set(setting, ahead)
            since = time.monotonic()
            outcome.recoveries.append(rig.wait_new_event(since))
            _wait_health(rig)
        rig.judge(outcome)
        outcome.demand(not rig.listener.dead_letters, f"readings were refused: {dict(rig.listener.dead_letters)}")
        outcome.demand("clock_stepped" in rig.service.log.read_text(), "no step was noticed")
    return outcome


def _wait_health(rig: Rig) -> None:
    """Wait for the next health message of the service, so that it has checked the clock."""
    before = rig.listener.latest("health").get("time")
    wait_until(lambda: rig.listener.latest("health").get("time") != before, what="the next word on the health")


HOURS_S = 5 * 3600.0
YEARS_S = 20 * 365 * 86_400.0
RIGHT = 0.0


def never_set(bench: Bench) -> Outcome:
    """The clock is in 1970, from the start until half of the kills are done."""
    return _wrong(bench, 1000.0 - time.time(), wrong_from_the_start=True)


def hours_behind(bench: Bench) -> Outcome:
    """The clock is hours behind the senders, from the start until half of the kills are done."""
    return _wrong(bench, BEGIN - HOURS_S - time.time(), wrong_from_the_start=True)


def years_ahead(bench: Bench) -> Outcome:
    """The clock is years ahead from a quarter of the kills to three quarters, and correct before and after."""
    return _wrong(bench, YEARS_S, wrong_from_the_start=False)


def _wrong(bench: Bench, off: float, *, wrong_from_the_start: bool) -> Outcome:
    outcome = Outcome(bench.tries)
    setting = bench.folder / "clock"
    plan = Plan(
        separate=True,
        proxied=("out",),
        tables={"store": 'durability = "process"\nbacklog_per_second = 20000'},
        environment=_moved(bench, setting),
    )
    begins, ends = (0, bench.tries // 2) if wrong_from_the_start else (bench.tries // 4, 3 * bench.tries // 4)
    _set(setting, off if wrong_from_the_start else RIGHT)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        rig.proxies["out"].close()
        rig.start(subscribed=True)
        rig.messenger.stream()
        for number in range(bench.tries):
            rig.wait_log(" connected ")
            time.sleep(bench.chance.uniform(0.1, 1.5))
            if number in (begins, ends):
                _set(setting, off if number == begins else RIGHT)
                time.sleep(bench.chance.uniform(0.0, 1.5))
            rig.service.kill()
            if number == bench.tries - 1:
                rig.proxies["out"].open()
            rig.start()
        _set(setting, RIGHT)
        outcome.recoveries.append(rig.wait_new_event(rig.starts[-1]))
        rig.judge(outcome)
        _judge_readings(rig, outcome)
        said = rig.service.log.read_text()
        outcome.demand("clock_wrong" in said or not wrong_from_the_start, "no warning of the clock")
    return outcome


def _judge_readings(rig: Rig, outcome: Outcome) -> None:
    """Every reading is in the journal, once and in order, and none was refused."""
    published = [(each.sensor, each.value) for each in rig.messenger.readings()]
    kept = [(each.sensor, each.value) for each in exported(rig.store)]
    outcome.demand(sorted(kept) == sorted(published), f"{len(kept)} readings in the journal, not {len(published)}")
    with closing(sqlite3.connect(f"{rig.store.as_uri()}?mode=ro", uri=True)) as database:
        refused = database.execute("SELECT reason, count(*) FROM dead_letter GROUP BY reason").fetchall()
    outcome.demand(not refused, f"readings were refused: {refused}")
    outcome.note = f"{len(published):,} readings"


def _moved(bench: Bench, setting: Path) -> dict[str, str]:
    """The environment of a service whose clock has the offset given in a file."""
    module = bench.folder / "moved"
    module.mkdir()
    (module / "sitecustomize.py").write_text(MOVED_CLOCK.format(setting=str(setting)))
    return {"PYTHONPATH": os.pathsep.join((str(module), str(ROOT)))}


def _set(setting: Path, off: float) -> None:
    new = setting.with_suffix(".new")
    new.write_text(str(off))
    new.replace(setting)


FAULTS = [
    Fault("wall clock stepped", stepped, times(18), 1),
    Fault("wall clock never set", never_set, times(20), 2),
    Fault("wall clock hours behind", hours_behind, times(20), 2),
    Fault("wall clock years ahead", years_ahead, times(20), 4),
]
