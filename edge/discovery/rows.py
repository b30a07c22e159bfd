"""Rows: columns for payloads that are numbers in a row, from the names above them or by position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.core.intake.decoders.notation.pairs import SEPARATORS
from edge.core.intake.decoders.notation.text_numbers import TextNumbers, text_of
from edge.core.intake.decoders.notation.times import TimeError, is_likely, read_time
from edge.core.intake.decoders.recognition.looks_like import instead, is_time
from edge.core.intake.decoders.recognition.readable_texts import decimal_of_row
from edge.core.model.readings.messages import Message
from edge.discovery.reading import Keys

FEWEST = 3
"""Minimum number of values between commas; two may be one number with a decimal comma."""

TIME, NEAR_S = "time", 60.0
"""The name of a column with times, and their maximum distance from the arrival; those of another zone are left out."""


def rows_in(messages: Sequence[Message]) -> Iterator[Keys]:
    """The keys that read rows: below names that every payload begins with, or of as many numbers in every line."""
    if "columns = " not in (instead("json", messages[-1].payload) or ""):
        return
    texts = [text_of(each.payload).strip(" \t\r\n\0") for each in messages]
    heads = {each.partition("\n")[0].strip() for each in texts}
    if len(heads) == 1 and all("\n" in each for each in texts):
        (head,) = heads
        names = next((head.split(each) for each in ";\t," if each in head), [])
        if len(set(names)) == len(names) > 1 and not any(map(str.isdecimal, names)):
            yield {"format": "text", "columns": [each.strip() for each in names]}
            return
    lines = [(line, each.arrived) for each, text in zip(messages, texts, strict=True) for line in text.splitlines()]
    columns = _numbered([each for each in lines if each[0].strip()])
    if columns:
        decimal = decimal_of_row(texts[-1])
        yield {"format": "text", "columns": columns} | ({"decimal": decimal} if decimal == "," else {})


def _numbered(lines: Sequence[tuple[str, float]]) -> list[str]:
    """Columns called by their positions, and the one of a time `time`; empty unless each is a number or a time.

    Args:
        lines: Lines with their arrival times.
    """
    separator = next((each for each in SEPARATORS[2:] if lines and each in lines[0][0]), None)
    rows = [line.split(None if separator == " " else separator) for line, _ in lines]
    if len({len(each) for each in rows}) != 1 or _time_of(rows[0][0], is_epoch=True) is not None:
        return []  # the format reads a time in front without columns
    columns = [[each.strip().strip('"') for each in column] for column in zip(*rows, strict=True)]
    of_times = [all(is_time(each.encode()) for each in column) for column in columns]
    texts = [TextNumbers(decimal=decimal) for decimal in ",."]
    numbers = sum(any(all(one.find(each) is not None for each in column) for one in texts) for column in columns)
    few = separator == "," and len(columns) < FEWEST
    if few or numbers + sum(of_times) < len(columns) or sum(of_times) > 1 or numbers == 0:
        return []
    arrivals = [arrived for _, arrived in lines]
    return [
        str(place) if not is_one else TIME if _are_near(column, arrivals) else ""
        for place, (is_one, column) in enumerate(zip(of_times, columns, strict=True), 1)
    ]


def _are_near(texts: Sequence[str], arrivals: Sequence[float]) -> bool:
    """Whether times are near their arrivals."""
    return all(
        (time := _time_of(text)) is not None and abs(time - arrived) <= NEAR_S
        for text, arrived in zip(texts, arrivals, strict=True)
    )


def _time_of(text: str, *, is_epoch: bool = False) -> float | None:
    """The time that a text holds, perhaps only an epoch; None if it holds none."""
    if is_epoch and not text.replace(".", "").isdecimal():
        return None
    try:
        time = read_time(text)
    except TimeError:
        return None
    return time if is_likely(time) else None
