from __future__ import annotations

import numpy as np
import pytest

from config import parse
from edge.core.engine import Engine
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Batch
from edge.core.scoring.profiles import Profile

pytestmark = pytest.mark.long

START, INTERVAL_S, SENSORS = 1_700_000_000.0, 600.0, 3
SURPRISING = 10.0


def test_a_counter_that_is_reset_is_not_news() -> None:
    rule = parse('[[input]]\ntopic = "#"\n').configuration.rule_for("pieces")
    engine = Engine(lambda _: Profile(rule.detectors, rule.incidents))
    engine.grow(SENSORS)
    pieces = np.cumsum(np.random.default_rng(3).poisson(3.0, size=(4000, SENSORS)), axis=0) % 1500
    slots = np.arange(SENSORS)
    for step, row in enumerate(pieces.astype(np.float64)):
        for found in engine.process(Batch(slots, row, np.full(SENSORS, START + INTERVAL_S * step), slots)):
            assert found.transition is not Transition.RAISED or found.observation.score <= SURPRISING
    restarts = np.flatnonzero((np.diff(pieces, axis=0) < 0).any(axis=1))
    assert len(restarts) >= 7 * SENSORS
