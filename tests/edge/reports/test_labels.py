from __future__ import annotations

from pathlib import PurePath

import pytest

from edge.reports.labels import Label, LabelError, LabelRuns, read_labels, windows_for

T = 1_700_000_000.0


def test_windows_by_file_are_read_with_their_paths() -> None:
    text = '{"real/a.csv": [["2023-11-14 22:13:20.000000", "2023-11-14 22:14:20"]], "b.csv": []}'
    labels = read_labels("w.json", text)
    assert labels.windows == {"real/a.csv": [Label(T, T + 60, place="w.json: real/a.csv[0]")], "b.csv": []}
    assert labels.spans == []


def test_truth_of_the_simulator_is_read_without_its_summary() -> None:
    text = (
        '{"type":"fault","sensor":"p/a","kind":"spike","start":1700000000.0,"end":1700000060.0,"size":1,"sentence":"."}\n'
        "\n"
        '{"type":"summary","sensors":1,"readings":2,"faults":1,"start":0,"end":1,"seed":1}\n'
    )
    assert read_labels("t.jsonl", text).spans == [Label(T, T + 60, "p/a", "spike", "t.jsonl:1")]


def test_a_single_line_of_truth_is_not_a_file_of_windows() -> None:
    text = '{"type":"fault","sensor":"a","kind":"drift","start":1700000000.0,"end":1700000060.0}'
    assert read_labels("t.jsonl", text).spans == [Label(T, T + 60, "a", "drift", "t.jsonl:1")]


def test_a_table_is_read_and_an_empty_end_equals_the_start() -> None:
    text = "\ufeffSensor;Start;End;Kind\n# by hand\na;2023-11-14T22:13:20Z;;odd\n;1700000000;1700000060;\n"
    assert read_labels("l.csv", text).spans == [
        Label(T, T, "a", "odd", "l.csv:3"),
        Label(T, T + 60, None, "", "l.csv:4"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "x:1: no column sensor"),
        ("sensor,start\n", "x:1: no column end"),
        ("sensor,start,end\na,1700000000\n", "x:2: 2 cells, the header has 3"),
        ("sensor,start,end\na,yesterday,1700000000\n", "x:2: 'yesterday' isn't a time"),
        ("sensor,start,end\na,1700000060,1700000000\n", "x:2: ends before it starts"),
        ('{"a.csv": [["2023-11-14"]]}', r"x: a.csv\[0\]: not a window"),
        ('{"a.csv": [["2023-11-14", "soon"]]}', r"x: a.csv\[0\]: 'soon' isn't a time"),
        ('{"a.csv": [', "x:1: no JSON"),
        ('{"sensor":"a","start":1,"end":2}\n{"sensor":"a"}\n', "x:2: the label has no start"),
        ('{"sensor":"a","start":1,"end":2}\n[]\n', "x:2: not a label"),
        ('{"sensor":"a","start":1,"end":2}\n{,}\n', "x:2: no JSON"),
    ],
)
def test_errors_are_reported_with_their_position(text: str, words: str) -> None:
    with pytest.raises(LabelError, match=words):
        read_labels("x", text)


def test_windows_belong_to_the_file_with_the_matching_path_or_unique_name() -> None:
    one, two = [Label(1, 2)], [Label(3, 4)]
    windows = {"real/a.csv": one, "made/a.csv": two, "made/b.csv": two}
    assert windows_for(windows, PurePath("/data/real/a.csv")) is one
    assert windows_for(windows, PurePath("made/a.csv")) is two
    assert windows_for(windows, PurePath("elsewhere/b.csv")) is two
    assert windows_for(windows, PurePath("elsewhere/a.csv")) is None
    assert windows_for(windows, PurePath("c.csv")) is None


def test_each_run_of_marked_rows_is_one_label() -> None:
    runs = LabelRuns("d.csv")
    for time, is_wrong in enumerate([0, 1, 1, 0, 0, 1, 0, 1]):
        runs.note("a", float(time), bool(is_wrong))
    runs.note(None, 2.0, True)
    assert [(each.start, each.end, each.sensor) for each in runs.finish()] == [
        (1.0, 2.0, "a"),
        (2.0, 2.0, None),
        (5.0, 5.0, "a"),
        (7.0, 7.0, "a"),
    ]
