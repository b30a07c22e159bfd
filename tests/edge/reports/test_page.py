"""The report is well-formed, self-contained, safe with any name, and consistent between text and pictures."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from edge.reports.backtest import Backtest, BacktestRun, Dataset
from edge.reports.judging import IncidentSpan, Rules
from edge.reports.labels import Label
from edge.reports.page import page
from edge.reports.plot_data import plot_json
from edge.reports.recording.recording import SensorRecord

T = 1_700_000_000.0
NASTY = 'a</script><img src=x onerror=alert(1)>&"\u2028'
VOID = {"meta", "img", "input", "br", "link"}


def record(name: str, *spans: IncidentSpan, count: int = 500, offset: float = 0.0) -> SensorRecord:
    made = SensorRecord(name, 64)
    rows = np.empty((7, count))
    rows[0] = T + 60.0 * np.arange(count)
    rows[1] = rows[2] = np.sin(np.arange(count)) + offset
    rows[3] = np.where(np.arange(count) < 30, np.nan, 1.0)
    rows[4:] = [[5.0], [-2.0 + offset], [2.0 + offset]]
    rows[5, :30] = np.nan
    made.series.add(rows)
    made.readings, made.first, made.last = count, float(rows[0, 0]), float(rows[0, -1])
    made.incidents = list(spans)
    made.states = [offset - 1.0, offset + 1.0]
    return made


def span(sensor: str, raised: float, ended: float, severity: int = 600) -> IncidentSpan:
    return IncidentSpan(
        sensor,
        sensor,
        raised,
        ended,
        severity,
        "spike",
        f"{sensor}-{raised}",
        7.5,
        ("ewma", "median"),
        f"{sensor} is odd",
        conditions=(("spike", raised), ("level_shift", raised + 40)),
    )


@pytest.fixture
def backtest() -> Backtest:
    whole = Backtest(["one", "two"], (0.1, 1.0), Rules())
    first = {
        "calm": record("calm"),
        NASTY: record(NASTY, span(NASTY, T + 6000, T + 7000), span(NASTY, T + 20_000, math.inf, 900)),
    }
    second = {"calm": record("calm"), NASTY: record(NASTY)}
    labels = [Label(T + 5900, T + 6500, NASTY, "unit_jump")]
    whole.add(Dataset("plant.csv", labels, [BacktestRun(first, [2, 3]), BacktestRun(second, [0, 1])]))
    other = {"value": record("value", span("value", T, T + 60, 100))}
    whole.add(Dataset("other.csv", None, [BacktestRun(other, [1, 1]), BacktestRun({}, [0, 0])]))
    return whole


def written(backtest: Backtest, plots: int = 100) -> str:
    return "".join(page(backtest, plots=plots, command="edgewarden backtest <x>", version="1"))


class Outline(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def data_of(text: str) -> list[dict[str, object]]:
    return [json.loads(each) for each in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text)]


def test_every_element_is_closed_and_every_id_is_unique(backtest: Backtest) -> None:
    outline = Outline(written(backtest))
    assert outline.open == []
    assert len(set(outline.ids)) == len(outline.ids)


def test_it_needs_nothing_from_elsewhere(backtest: Backtest) -> None:
    text = written(backtest)
    outline = Outline(text)
    assert not [tag for tag, attributes in outline.attributes if {"src", "href"} & attributes.keys()]
    assert set(re.findall(r"https?://[^\"'\s)]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text
    assert not re.search(r"@import|url\((?!#)", text)


def test_a_name_is_never_markup(backtest: Backtest) -> None:
    text = written(backtest)
    assert "<img" not in text
    assert "a&lt;/script&gt;" in text
    assert len(data_of(text)) == 3


def test_the_most_important_parts_come_first(backtest: Backtest) -> None:
    assert [name for _, name in backtest.interesting()] == [NASTY, "value", "calm"]


def test_every_plot_is_described_and_also_listed_in_words(backtest: Backtest) -> None:
    text = written(backtest)
    plots = [attributes for _, attributes in Outline(text).attributes if attributes.get("class") == "plot"]
    assert len(plots) == 3
    assert all("incident" in (each["data-label"] or "") for each in plots)
    assert "1 label; 2 incidents with one; 0 incidents with two" in (plots[0]["data-label"] or "")
    assert "unit jump" in text
    assert "one: found after 1.7 min; two: missed" in text
    assert "still open" in text


def test_conditions_and_states_are_in_words_too(backtest: Backtest) -> None:
    text = written(backtest)
    assert "is odd; level shift since 2023-11-14 23:54:00 [" in text
    assert "states -1, 1" in text
    assert "values of a machine&#x27;s states" in text or "values of a machine's states" in text


def test_the_summary_compares_and_marks_the_best(backtest: Backtest) -> None:
    text = written(backtest)
    assert '<td class="best">1 of 1</td>' in text
    assert "<td>0 of 1</td>" in text
    assert "Without labels, and not judged: other.csv" in text
    assert "3 <small>" in text


def test_the_number_of_plots_is_limited_and_the_rest_is_listed(backtest: Backtest) -> None:
    text = written(backtest, plots=1)
    assert len(data_of(text)) == 1
    assert "2 more sensors aren't drawn" in text


def test_the_data_of_a_plot_can_be_drawn(backtest: Backtest) -> None:
    found = json.loads(plot_json(backtest.datasets[0], NASTY, 100))
    one, two = found["runs"]
    assert len(one["t"]) == len(one["lo"]) == len(one["hi"]) == len(one["score"]) == len(one["lower"]) <= 100
    assert one["start"] + one["unit"] * sum(one["t"]) <= found["end"]
    assert one["levels"] == [[0, 5]]
    assert one["score"][-1] == 1
    assert (two["like"], "t" in two) == (0, False)
    assert [each["word"] for each in one["incidents"]] == ["found", "false"]
    assert one["incidents"][1]["ended"] is None
    first = round(1000 * (T + 6000))
    assert one["incidents"][0]["conditions"] == [["spike", first], ["level shift", first + 40_000]]
    assert one["states"] == [-1.0, 1.0]
    assert found["labels"] == [[round(1000 * (T + 5900)), round(1000 * (T + 6500)), "unit_jump", ["found", "missed"]]]


def test_series_that_differ_are_both_kept() -> None:
    whole = Backtest(["one", "two"], (), Rules())
    whole.add(
        Dataset("x", None, [BacktestRun({"a": record("a")}, []), BacktestRun({"a": record("a", offset=5.0)}, [])])
    )
    found = json.loads(plot_json(whole.datasets[0], "a", 100))
    assert all("t" in each for each in found["runs"])


@pytest.mark.parametrize("value", [0.0, 1e-9, -3.25, 1e15])
def test_a_constant_sensor_can_be_drawn(value: float) -> None:
    made = SensorRecord("flat", 64)
    made.series.add(
        np.array([[T, T + 1], [value] * 2, [value] * 2, [np.nan] * 2, [5.0] * 2, [np.nan] * 2, [np.nan] * 2])
    )
    made.readings, made.first, made.last = 2, T, T + 1
    whole = Backtest(["one"], (), Rules())
    whole.add(Dataset("x", None, [BacktestRun({"flat": made}, [])]))
    assert json.loads(plot_json(whole.datasets[0], "flat", 100))["runs"][0]["lo"] == [value, value]
    assert "flat" in written(whole)


def test_an_empty_report_is_valid() -> None:
    whole = Backtest(["one"], (0.1,), Rules())
    whole.add(Dataset("empty.csv", None, [BacktestRun({}, [0])]))
    assert Outline(written(whole)).open == []
