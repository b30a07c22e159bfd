"""All faults, in the order of the table."""

from __future__ import annotations

import access
import brokers_die
import clock
import damage
import deaths
import disk
import network
import outage
import owners
import reloads
import sinks
import stalls
import traffic
from bench import Fault

FAULTS: list[Fault] = [
    *deaths.FAULTS,
    *brokers_die.FAULTS,
    *network.FAULTS,
    *stalls.FAULTS,
    *outage.FAULTS,
    *disk.FAULTS,
    *damage.FAULTS,
    *clock.FAULTS,
    *reloads.FAULTS,
    *owners.FAULTS,
    *traffic.FAULTS,
    *access.FAULTS,
    *sinks.FAULTS,
]
