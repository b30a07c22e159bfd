"""The Grafana dashboard and the alert rules: promtool accepts them, each alert fires, and every metric exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, generate_latest

from config.monitoring import DASHBOARD, RULES, monitoring_files
from edge.commands import main
from edge.page.monitoring.metrics import MetricsCollector, metrics
from edge.shell.activity.figures import FIGURES, SINK_FIGURES

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool isn't installed (apt-get install prometheus)")
TIME = "2026-11-28T18:00:00.000Z"
SAID = {
    "version": "1",
    "gateway": "gw",
    "connections": [{"carries": "events", "connected": True}],
    "inputs": [{"topic": "plant/#", "messages": 5, "last": TIME}],
    "health": {
        **{each.key: {"some": 1} if each.label else 1 for each in FIGURES},
        "sinks": {"s": {each.key: 1 for each in SINK_FIGURES}},
        "problems": [{"problem": "clock_wrong"}],
        "time": TIME,
        "backlog_since": TIME,
    },
}
MORE = {"page_open": ("Pages that are open", 1.0), "store_free_bytes": ("Free space", 1.0)}
EXPOSED = metrics(SAID, MORE).decode()
NAMES = set(re.findall(r"^(\w+)", re.sub(r"^#.*\n", "", EXPOSED, flags=re.MULTILINE), re.MULTILINE))
METRIC = re.compile(r"\b((?:edgewarden|process)_\w+)\b")

Series = dict[str, str]
FIRES: dict[str, tuple[str, Series]] = {  # labels of the alert, and series by minute: for "ok" no alert may fire
    "EdgewardenDown": (
        'instance="g", job="edgewarden"',
        {'up{job="edgewarden",instance="g"}': "0x60", 'up{job="edgewarden",instance="ok"}': "1x60"},
    ),
    "EdgewardenDisconnected": (
        'carries="events", instance="g"',
        {
            'edgewarden_connected{instance="g",carries="events"}': "0x60",
            'edgewarden_connected{instance="ok",carries="events"}': "1x60",
        },
    ),
    "EdgewardenNothingArrives": (
        'instance="g"',
        {
            'edgewarden_messages_total{instance="g"}': "7x60",
            'edgewarden_uptime_seconds{instance="g"}': "0+60x60",
            'edgewarden_messages_total{instance="ok"}': "0+5x60",
            'edgewarden_uptime_seconds{instance="ok"}': "0+60x60",
            'edgewarden_messages_total{instance="new"}': "0x60",
            'edgewarden_uptime_seconds{instance="new"}': "0x60",
        },
    ),
    "EdgewardenInputSilent": (
        'input="a/#", instance="g"',
        {
            'edgewarden_input_last_message_timestamp_seconds{instance="g",input="a/#"}': "-7200x60",
            'edgewarden_input_last_message_timestamp_seconds{instance="ok",input="a/#"}': "0+60x60",
        },
    ),
    "EdgewardenRefusesMost": (
        'instance="g"',
        {
            'edgewarden_readings_refused_total{instance="g",reason="late"}': "0+50x60",
            'edgewarden_readings_taken_total{instance="g"}': "0+10x60",
            'edgewarden_readings_refused_total{instance="ok",reason="late"}': "0+5x60",
            'edgewarden_readings_taken_total{instance="ok"}': "0+10x60",
            'edgewarden_messages_refused_total{instance="ok",reason="malformed"}': "0+1x60",
            'edgewarden_messages_total{instance="ok"}': "0+10x60",
        },
    ),
    "EdgewardenEventsDelayed": (
        'instance="g"',
        {
            'edgewarden_time_seconds{instance="g"}': "0+60x60",
            'edgewarden_backlog_oldest_timestamp_seconds{instance="g"}': "0x60",
            'edgewarden_time_seconds{instance="ok"}': "0+60x60",
            'edgewarden_backlog_oldest_timestamp_seconds{instance="ok"}': "0+60x60",
        },
    ),
    "EdgewardenStoreFails": (
        'instance="g"',
        {
            'edgewarden_store_writable{instance="g"}': "0x60",
            'edgewarden_store_writable{instance="ok"}': "1x60",
            'edgewarden_store_errors_total{instance="ok"}': "2x60",
        },
    ),
    "EdgewardenDiskAlmostFull": (
        'instance="g"',
        {
            'edgewarden_store_free_bytes{instance="g"}': "1048576x60",
            'edgewarden_store_free_bytes{instance="ok"}': "10000000000x60",
        },
    ),
    "EdgewardenSinkFails": (
        'instance="g", sink="s"',
        {
            'edgewarden_sink_connected{instance="g",sink="s"}': "0x60",
            'edgewarden_sink_connected{instance="ok",sink="s"}': "1x60",
        },
    ),
    "EdgewardenSinkLosesEvents": (
        'instance="g", sink="s"',
        {
            'edgewarden_sink_lost_total{instance="g",sink="s"}': "0+1x60",
            'edgewarden_sink_lost_total{instance="ok",sink="s"}': "3x60",
        },
    ),
    "EdgewardenProblem": (
        'instance="g", problem="clock_wrong"',
        {
            'edgewarden_problems{instance="g",problem="clock_wrong"}': "1x60",
            'edgewarden_problems{instance="ok",problem="clock_wrong"}': "0x60",
        },
    ),
    "EdgewardenManyIncidents": (
        'instance="g"',
        {
            'edgewarden_open_incidents{instance="g"}': "30x60",
            'edgewarden_sensors{instance="g"}': "100x60",
            'edgewarden_open_incidents{instance="ok"}': "5x60",
            'edgewarden_sensors{instance="ok"}': "10x60",
        },
    ),
}
SEVERITY = dict(re.findall(r"alert: (\w+)\n.*?severity: (\w+)", monitoring_files()[RULES], re.DOTALL))


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *arguments], input=given, capture_output=True, text=True, check=False, timeout=120)


def expressions(panel: Any) -> list[str]:
    if isinstance(panel, dict):
        own = [panel["expr"]] if isinstance(panel.get("expr"), str) else []
        return own + [each for value in panel.values() for each in expressions(value)]
    return [each for value in panel for each in expressions(value)] if isinstance(panel, list) else []


def test_every_metric_of_the_dashboard_and_of_the_rules_is_exposed() -> None:
    files = monitoring_files()
    shown = expressions(json.loads(files[DASHBOARD]))
    assert len(shown) > 15
    for text in [*shown, *re.findall(r"expr: (.*?)(?=\n +(?:for|labels):)", files[RULES], re.DOTALL)]:
        assert METRIC.findall(text) or text.startswith("up{"), text
        assert set(METRIC.findall(text)) <= NAMES, text


@needs_promtool
def test_promtool_accepts_the_metrics_and_the_rules(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    registry.register(MetricsCollector(SAID, MORE))
    plain = generate_latest(registry).decode()  # promtool reads only the older of the two formats
    found = promtool("check", "metrics", given=plain)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    (tmp_path / RULES).write_text(monitoring_files()[RULES])
    checked = promtool("check", "rules", str(tmp_path / RULES))
    assert checked.returncode == 0, checked.stderr
    assert f"{len(FIRES)} rules found" in checked.stdout


@needs_promtool
@pytest.mark.parametrize("alert", SEVERITY)
def test_each_alert_fires_where_it_should_and_nowhere_else(alert: str, tmp_path: Path) -> None:
    labels, series = FIRES[alert]
    fired = f'ALERTS{{alertname="{alert}", alertstate="firing", {labels}, severity="{SEVERITY[alert]}"}}'
    wanted = {
        "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}',
        "eval_time": "50m",
        "exp_samples": [{"labels": fired, "value": 1}],
    }
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [wanted],
    }
    (tmp_path / RULES).write_text(monitoring_files()[RULES])
    (tmp_path / "test.yaml").write_text(json.dumps({"rule_files": [RULES], "tests": [test]}))
    found = promtool("test", "rules", str(tmp_path / "test.yaml"))
    assert found.returncode == 0, found.stdout + found.stderr


def test_init_writes_both_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "monitoring"
    found = CliRunner().invoke(main, ["init", "--monitoring", str(folder)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    assert {each.name: each.read_text() for each in folder.iterdir()} == monitoring_files()
    assert f"promtool check rules {folder / RULES}" in found.output
    again = CliRunner().invoke(main, ["init", "--monitoring", str(folder)], catch_exceptions=False)
    assert (again.exit_code, "already exists" in again.output) == (1, True)
