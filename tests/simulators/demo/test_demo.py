from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from simulators.demo import commands as demo_commands
from simulators.demo.commands import events_command, follow_command, program
from simulators.demo.incident_log import IncidentLog, why
from simulators.demo.live import picture
from simulators.demo.processed_readings import reached, remark, seen
from simulators.demo.screen import DemoProgress, PlainScreen
from simulators.demo.summary import judge, summary
from simulators.faults.truth import TruthSummary, read_summary
from simulators.signals.label import Fault

PUBLISHED = TruthSummary(sensors=2, readings=1000, faults=3, start=0.0, end=2000.0, seed=1)
FAULTS = [Fault(f"plant/{at}", "spike", float(at), at + 60.0, 9.0, "Jumps.") for at in (100, 900, 1500)]
STORE = Path("/tmp/a folder/edgewarden.db")  # noqa: S108 - never opened


@pytest.mark.parametrize(
    ("taken", "until", "known"), [(1000, float("inf"), 3), (1200, float("inf"), 3), (500, 1000.0, 2)]
)
def test_faults_that_the_service_has_not_reached_are_left_out(taken: int, until: float, known: int) -> None:
    assert reached(PUBLISHED, taken) == until
    assert len(seen(FAULTS, until)) == known


def test_left_out_faults_are_reported() -> None:
    assert remark(PUBLISHED, 1000, 0) == ""
    assert remark(PUBLISHED, 500, 1) == (
        "Of 1,000 readings 500 were taken in time: 1 fault that began later isn't counted."
    )
    assert remark(PUBLISHED, 500, 2).endswith("2 faults that began later aren't counted.")


def test_a_run_without_a_summary_counts_everything_reported() -> None:
    assert reached(None, 5) == float("inf")
    assert remark(None, 5, 0) == ""


def test_the_summary_is_the_last_line_of_the_truth() -> None:
    lines = [each.to_json() for each in FAULTS]
    assert read_summary(lines) is None
    assert read_summary([*lines, PUBLISHED.to_json(), b""]) == PUBLISHED


def test_the_program_is_named_by_the_command_that_starts_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "edgewarden"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert program() == str(script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program() == "edgewarden"
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    assert program() == f"{sys.executable} -m edge"


def test_a_program_next_to_the_folder_is_named_in_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", [".venv/bin/edgewarden"])
    assert program() == str(tmp_path / ".venv/bin/edgewarden")


def test_events_are_followed_by_an_installed_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/edgewarden"])
    monkeypatch.setattr(demo_commands.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert follow_command(1884, "a/b/#", STORE) == "mosquitto_sub -h 127.0.0.1 -p 1884 -v -t 'a/b/#'"
    monkeypatch.setattr(demo_commands.shutil, "which", lambda _: None)
    assert (
        follow_command(1884, "a/b/#", STORE) == "/opt/edgewarden events --store '/tmp/a folder/edgewarden.db' --follow"
    )
    assert events_command(STORE) == "/opt/edgewarden events --store '/tmp/a folder/edgewarden.db'"


def an_event(number: int, message: str, *, active: bool = True) -> bytes:
    data: dict[str, Any] = {
        "incident": f"i{number}",
        "transition": "raised",
        "active": active,
        "severity": 700,
        "message": message,
        "started": "2026-11-23T05:00:00.000Z",
        "ended": None,
        "kind": "spike",
        "detectors": [{"name": "contextual", "score": 12.3}, {"name": "median", "score": 9.1}],
        "contributions": [],
        "conditions": [],
    }
    time = "2026-11-23T05:00:00.000Z"
    event = {"id": str(number), "subject": "s", "time": time, "severitytext": "ERROR", "data": data}
    return json.dumps(event).encode()


def test_the_log_knows_when_a_further_kind_joined_an_incident() -> None:
    log = IncidentLog()
    log.take(an_event(1, "is odd"))
    update = json.loads(an_event(1, "is silent"))
    update["id"], update["time"] = "2", "2026-11-23T05:10:00.000Z"
    update["data"] |= {"transition": "updated", "conditions": [{"kind": "spike"}, {"kind": "missing"}]}
    log.take(json.dumps(update).encode())
    (incident,) = log.raised()
    assert [each - incident.raised for each in incident.joined] == [600.0]


def drawn(columns: int, rows: int, log: IncidentLog, follow: str) -> list[str]:
    progress = DemoProgress(10.0, 30.0, 37_164, 2385.0, 24, follow, "3 days of a plant in 25 seconds")
    console = Console(width=columns, height=rows, file=StringIO(), record=True, force_terminal=True)
    console.print(picture(progress, log, columns, rows))
    return console.export_text().rstrip("\n").splitlines()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40), (60, 30)])
def test_the_screen_truncates_no_sentence_and_fits_the_terminal(columns: int, rows: int) -> None:
    log = IncidentLog()
    long = (
        "The sensors of plant/line1/motor1 no longer move together: current 58%, running 37%, speed 5% as expected {}"
    )
    for number in range(30):
        log.take(an_event(number, long.format(number)))
    lines = drawn(columns, rows, log, "mosquitto_sub -h 127.0.0.1 -p 1883 -v -t 'edgewarden/demo/anomaly/#'")
    assert len(lines) <= rows
    assert max(map(len, lines)) <= columns
    text = " ".join("".join(lines).split())
    assert "…" not in text
    said = " ".join(" ".join(lines).split())
    assert "as expected 29" in said
    assert ("contextual: rarer" if columns < 100 else "contextual, median: rarer") in said


def test_a_chance_that_nobody_could_have_seen_has_no_figure() -> None:
    found = [{"name": "ewma", "score": 4.3}, {"name": "cusum", "score": 3.9}]
    assert why({"detectors": found}) == "ewma, cusum: 1 in 20,000"
    assert why({"detectors": found}, 1) == "ewma: 1 in 20,000"
    assert why({"detectors": [{"name": "median", "score": 66.0}]}) == "median: rarer than 1 in a million"
    assert why({"detectors": []}) == "-"


def test_the_command_to_follow_is_outside_of_the_frame() -> None:
    lines = drawn(80, 24, IncidentLog(), "mosquitto_sub -h 127.0.0.1 -p 1883 -v -t 'edgewarden/demo/anomaly/#'")
    assert "mosquitto_sub -h 127.0.0.1 -p 1883 -v -t 'edgewarden/demo/anomaly/#'" in [each.rstrip() for each in lines]
    assert "2,385 readings/s, 37,164 in all, 24 sensors, 0 incidents, 0 open" in [each.rstrip() for each in lines]


def test_the_page_is_named_once_it_is_available(capsys: pytest.CaptureFixture[str]) -> None:
    where = DemoProgress(10.0, 30.0, 0, 0.0, 0, "mosquitto_sub", "3 days", "http://127.0.0.1:8790/")
    assert where.invitation == "Open http://127.0.0.1:8790/ in a browser, or follow along from another terminal:"
    screen, log = PlainScreen(), IncidentLog()
    for each in (where._replace(page=""), where, where._replace(elapsed_s=30.0)):
        screen.refresh(each, log)
    said = capsys.readouterr().out
    assert said.count("Open http://127.0.0.1:8790/ in a browser\n") == 1
    assert where._replace(page="").invitation == "Follow along from another terminal:"


def test_the_summary_fits_eighty_columns_without_breaking_a_word() -> None:
    fault = Fault(
        "plant/yard1/weather/wind", "drift", 0.0, 9.0, 1.0, "Drifts until it is off by -10.3 m/s, 10.0 times it"
    )
    other = Fault("plant/a", "broken_correlation", 0.0, 9.0, 1.0, "Moves alone.")
    comparison = judge([fault, other], [], {"drift"})
    lines = summary(comparison, frozenset({"drift"}), 72.0, "A remark.", 80)
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert fault.sentence in text
    assert "* no detector of this configuration claims to catch it." in text
    assert "A remark." in text
