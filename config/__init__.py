"""The configuration: one TOML file, validated as a whole before anything else is opened.

    problems    what is wrong, in words          topics      filters, templates, globs
    lines       key path -> line                 fields      what all tables share
    transport   gateway, broker, input           detection   detectors, presets, rules, incidents
    schema      the whole                        explaining  from pydantic's errors to problems
    doubts      allowed, but hardly meant        loading     from a file to a configuration
    template    the file to begin with           passwords   read late, kept nowhere

Imports `detectors`, and nothing from the service.
"""

from __future__ import annotations

from config.loading import Inspection, inspect, load, parse
from config.problems import ConfigurationError, Problem
from config.schema import Configuration, IncidentSettings, ResolvedRule, presets

__all__ = [
    "Configuration",
    "ConfigurationError",
    "IncidentSettings",
    "Inspection",
    "Problem",
    "ResolvedRule",
    "inspect",
    "load",
    "parse",
    "presets",
]
