"""The configuration: one TOML file, validated as a whole before anything else is opened.

    schema      the whole
    loading     from a file to a configuration
    problems    errors and warnings, in words
    tables      the tables: transport, inputs, detection, devices, sinks, page and so on
    notation    topics, templates, globs, hosts, calendars
    checking    line numbers, the text of errors, and warnings
    writing     the initial file, the systemd unit, and changes of a file
    monitoring  the Grafana dashboard and alert rules
    store_file  whether the store's file may be used

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
