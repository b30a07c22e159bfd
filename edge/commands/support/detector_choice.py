"""Choosing detectors for experimental commands: those of a configuration, or a single one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from config.problems import suggestion
from detectors import DETECTORS

if TYPE_CHECKING:
    from config.schema import Configuration


def check_detector(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    """A callback for an option that names a detector."""
    if name is not None and name not in DETECTORS:
        raise click.BadParameter(f"there is no detector {name}{suggestion(name, DETECTORS)}")
    return name


def with_only(configuration: Configuration, detector: str) -> Configuration:
    """The configuration with a single detector for every sensor, with default parameters."""
    from config.tables.common.validation import validated  # noqa: PLC0415 - for the same reason
    from config.tables.detection import EVERY_SENSOR, Rule  # noqa: PLC0415 - loaded when a command runs

    tables = {name: {"enabled": name == detector} for name in DETECTORS}
    rules = (validated(Rule, {"sensors": EVERY_SENSOR, "detectors": tables}),)
    return configuration.replaced(rules=rules)
