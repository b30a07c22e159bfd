"""The lines that a running service logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from activity_line import Lines


@pytest.fixture
def log() -> Iterator[Lines]:
    logger, lines = logging.getLogger("edgewarden"), Lines()
    before = logger.level
    logger.addHandler(lines)
    logger.setLevel("INFO")
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(before)
