"""The Grafana dashboard and the Prometheus alert rules that are shipped."""

from __future__ import annotations

from importlib.resources import files

DASHBOARD = "grafana-dashboard.json"
RULES = "prometheus-rules.yaml"


def monitoring_files() -> dict[str, str]:
    """Their texts, by the names of the files."""
    return {name: files("config.monitoring").joinpath(name).read_text("utf-8") for name in (DASHBOARD, RULES)}
