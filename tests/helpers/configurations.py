"""Configurations for tests, and the problems found in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import parse
from config.problems import ConfigurationError, Problem

INPUT = '[[input]]\ntopic = "plant/+/+"\n'
OVEN = """
[[input]]
topic = "plant/#"
[[rule]]
sensors = "plant/oven"
unit = "Cel"
[rule.detectors.limits]
high = 250.0
"""


def faults_of(text: str, folder: Path | None = None) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "edgewarden.toml", folder)
    return list(caught.value.problems)
