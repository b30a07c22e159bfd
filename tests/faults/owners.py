"""A second service is started on the same store: one of them works at a time, and the other takes over from it."""

from __future__ import annotations

import time

from bench import Bench, Fault, share
from plant import single
from rig import Plan, Rig
from running import RunningService, wait_until
from verdict import Outcome


def two_owners(bench: Bench) -> Outcome:
    """Start a second service at random moments, and kill the first one every other time."""
    outcome = Outcome(bench.tries)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), Plan()) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        folder = bench.folder / "second"
        folder.mkdir()
        second = RunningService(folder, rig.service.path.read_text())
        for turn in range(bench.tries):
            rig.wait_log(" connected ")
            time.sleep(bench.chance.uniform(0.0, 1.0))
            second.log.write_text("")
            owner = rig.pid
            second.start(**rig.plan.environment)
            try:
                if turn % 2:
                    time.sleep(bench.chance.uniform(0.0, 1.0))
                    rig.service.kill()
                wait_until(lambda: has_decided(second), 60, "the second service to take over or to end")
                judge(second, owner, outcome, was_killed=bool(turn % 2))
            finally:
                second.kill()
            if turn % 2:
                rig.start()
        rig.wait_log(" connected ")
        rig.judge(outcome)
        outcome.recoveries = rig.recoveries(rig.starts[1:])
    return outcome


def has_decided(service: RunningService) -> bool:
    """Whether a service has ended, or is working."""
    assert service.process is not None
    return service.process.poll() is not None or " connected " in service.log.read_text()


def judge(second: RunningService, owner: int, outcome: Outcome, *, was_killed: bool) -> None:
    """The second service must do nothing while the first one lives, and must name that one in its log."""
    assert second.process is not None
    code, log = second.process.poll(), second.log.read_text()
    if code is None:
        outcome.demand(was_killed, "two services work on one store")
    else:
        outcome.demand(code == 1, f"the second service ended with {code}")
        outcome.demand(f"in use by process {owner}" in log, "the second service doesn't say who has the store")


FAULTS = [Fault("two owners of a store", two_owners, share(4, least=14), 6)]
