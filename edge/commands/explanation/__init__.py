"""The meaning of a configuration in plain words: one file for each section printed by `edgewarden check`."""

from __future__ import annotations

from pathlib import Path

import click

from config.schema import Configuration
from edge.commands.explanation.gateway import describe_gateway
from edge.commands.explanation.inputs import describe_inputs
from edge.commands.explanation.limits import describe_limits, describe_store
from edge.commands.explanation.outputs import describe_outputs
from edge.commands.explanation.rules import describe_devices, describe_rules
from edge.core.model.notation.printable import printable

__all__ = ["describe"]


def describe(configuration: Configuration, path: Path) -> None:
    """Print the meaning of a configuration."""
    click.echo(f"{click.style(printable(str(path)), bold=True)} can be used. It means:\n")
    describe_gateway(configuration)
    describe_inputs(configuration)
    describe_rules(configuration)
    describe_devices(configuration)
    describe_outputs(configuration)
    describe_store(configuration)
    describe_limits(configuration)
