"""The included Grafana dashboard and Prometheus alert rules."""

from __future__ import annotations

from importlib.resources import files

DASHBOARD = "grafana-dashboard.json"
RULES = "prometheus-rules.yaml"


def monitoring_files() -> dict[str, str]:
    """The contents of the files by name."""
    return {name: files("config.monitoring").joinpath(name).read_text("utf-8") for name in (DASHBOARD, RULES)}
