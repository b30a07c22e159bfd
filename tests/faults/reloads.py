"""The configuration is reloaded while readings arrive: with other rules, other connections, and errors in it."""

from __future__ import annotations

import os
import signal
import time

from bench import Bench, Fault, share
from plant import single
from rig import Plan, Rig
from verdict import Outcome

OTHERS = '[[rule]]\nsensors = "no/such/sensor"\npreset = "limits_only"\n'


def variants(text: str) -> list[tuple[str, str]]:
    """Configurations that give the same events, or that are refused, with the log message for each."""
    return [
        (text, "reloaded changed="),
        (text.replace("[[rule]]", f"{OTHERS}[[rule]]", 1), "reloaded changed=true"),
        (text.replace("in_flight = 200", "in_flight = 100"), "reloaded changed=true"),
        (text.replace("[store]\n", "[store]\ncommit_s = 0.1\nbacklog_per_second = 50\n"), "reloaded changed=true"),
        (f'{text}[[input]]\ntopic = "elsewhere/#"\n', "reloaded changed=true"),
        (text.replace("in_flight = 200", "in_flight = 0"), "reload_refused"),
        (text[: len(text) // 2], "reload_refused"),
    ]


def reloaded(bench: Bench) -> Outcome:
    """SIGHUP at random moments: the received events equal those of an offline run."""
    outcome = Outcome(bench.tries)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), Plan(separate=True)) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        text = rig.service.path.read_text()
        choices = variants(text)
        outcome.demand(len({each for each, _ in choices}) == len(choices), "a variant is no other configuration")
        for turn in range(bench.tries):
            time.sleep(bench.chance.uniform(0.0, 1.5))
            wanted, said = choices[(1 + turn) % len(choices)]
            rig.service.path.write_text(wanted)
            rig.forget_log()
            began = time.monotonic()
            os.kill(rig.pid, signal.SIGHUP)
            rig.wait_log(said)
            outcome.recoveries.append(rig.wait_new_event(began))
        rig.service.path.write_text(text)
        rig.forget_log()
        os.kill(rig.pid, signal.SIGHUP)
        rig.wait_log("reloaded changed=")
        rig.judge(outcome)
    return outcome


FAULTS = [Fault("configuration reloaded", reloaded, share(4, least=14), 7)]
