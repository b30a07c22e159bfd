from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_examples import event

from edge.core.incidents.events.event import Event
from edge.shell.store import SqliteStore
from edge.shell.store.reading.past_incidents import IncidentFilter, read_incidents, read_sentences


def incident_event(
    number: int, incident: str, transition: str, severity: int, message: str, sensor: str = "pump"
) -> Event:
    return event(number)._replace(
        incident=incident,
        transition=transition,
        severity=severity,
        message=message,
        sensor=sensor,
        time=float(number),
        kind="spike",
    )


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "store.db"
    store = SqliteStore(path, "process")
    events = [
        incident_event(1, "a", "raised", 300, "Pump is at 9"),
        incident_event(2, "a", "updated", 600, "Pump is at 20"),
        incident_event(3, "b", "raised", 260, "Größe is odd", sensor="Größe"),
        incident_event(4, "a", "acknowledged", 600, "Somebody has seen it"),
        incident_event(5, "a", "cleared", 600, "Pump is well again"),
    ]
    store.append(events, [], None, now=5.0)
    yield path
    store.close()


def test_an_incident_is_one_row_with_its_worst_sentence_and_its_end(path: Path) -> None:
    latest, first = read_incidents(path, IncidentFilter(), 10)
    assert (first.incident, first.severity, first.raised, first.ended, first.how) == ("a", 600, 1.0, 5.0, "cleared")
    assert (first.sentence, first.seen) == ("Pump is at 20", True)
    assert (latest.incident, latest.ended, latest.how, latest.seen) == ("b", None, "", False)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (IncidentFilter(text="PUMP"), ["a"]),
        (IncidentFilter(text="GRÖSSE"), ["b"]),
        (IncidentFilter(sensor="pump"), ["a"]),
        (IncidentFilter(severity=500), ["a"]),
        (IncidentFilter(kinds=("missing",)), []),
        (IncidentFilter(since=2.0), ["b"]),
        (IncidentFilter(until=3.0), ["a"]),
    ],
)
def test_incidents_are_chosen(path: Path, chosen: IncidentFilter, found: list[str]) -> None:
    assert [each.incident for each in read_incidents(path, chosen, 10)] == found


def test_older_ones_follow_before_the_last_returned_one(path: Path) -> None:
    (latest,) = read_incidents(path, IncidentFilter(), 1)
    assert [each.incident for each in read_incidents(path, IncidentFilter(), 1, before=latest.sequence)] == ["a"]


def test_sentences_are_those_that_describe_the_fault(path: Path) -> None:
    assert read_sentences(path, ["a", "b"]) == {"a": "Pump is at 20", "b": "Größe is odd"}


def test_reading_in_parallel_leaves_the_lock_of_the_writer_alone(path: Path) -> None:
    import fcntl
    import multiprocessing

    read_incidents(path, IncidentFilter(), 1)

    def others_get_it(answers: multiprocessing.Queue[bool]) -> None:
        with path.open("r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)  # SQLite's shared range
            except OSError:
                answers.put(False)
            else:
                answers.put(True)

    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[bool] = context.Queue()
    process = context.Process(target=others_get_it, args=(answers,))
    process.start()
    assert answers.get(timeout=20) is False
    process.join()
