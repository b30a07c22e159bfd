"""The gateway's wall clock is set forward and back while the service runs.

The wall clock of a Python process is `time.time`; a `sitecustomize` module of ours in the service's path adds to it
what a file says. (libfaketime 0.9.10 won't do: with an unchanged monotonic clock it breaks `time.sleep`.) Readings
carry their own times, so no event may change. `limits.future_s` is large here: with the clock set far back, readings
would rightly be refused as lying in the future.

Recovery: from the step to the first event that had never been received before.
"""

from __future__ import annotations

import os
import time

from bench import Bench, Fault, times
from plant import single
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
    setting, module = bench.folder / "clock", bench.folder / "moved"
    setting.write_text("0")
    module.mkdir()
    (module / "sitecustomize.py").write_text(MOVED_CLOCK.format(setting=str(setting)))
    plan = Plan(
        tables={"limits": "future_s = 31536000"}, environment={"PYTHONPATH": os.pathsep.join((str(module), str(ROOT)))}
    )
    ahead = 0
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for number in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            ahead = STEPS_S[number % len(STEPS_S)]
            new = bench.folder / "clock.new"
            new.write_text(str(ahead))
            new.replace(setting)
            since = time.monotonic()
            outcome.recoveries.append(rig.wait_new_event(since))
            _wait_health(rig)
        rig.judge(outcome)
        outcome.demand(not rig.listener.dead_letters, f"readings were refused: {dict(rig.listener.dead_letters)}")
        outcome.demand("clock_stepped" in rig.service.log.read_text(), "no step was noticed")
    return outcome


def _wait_health(rig: Rig) -> None:
    """Wait for the service's next word on its health, so that it has looked at the clock."""
    before = rig.listener.latest("health").get("time")
    wait_until(lambda: rig.listener.latest("health").get("time") != before, what="the next word on the health")


FAULTS = [Fault("wall clock stepped", stepped, times(18), 1)]
