"""Backtest labels: matches labels with the sources of a backtest.

A label that matches no source is an error: it is probably a mistake, and would count as missed.
"""

from __future__ import annotations

from collections.abc import Sequence

from config.problems import suggestion
from edge.commands.support.backtests.backtest_runs import RecordedPlant
from edge.commands.support.backtests.extent import Extent
from edge.commands.support.backtests.replaying import CHUNK
from edge.commands.support.printing.progress import Progress
from edge.core.model.sensors.vacancies import had_it_last
from edge.core.persistence.journal import Readings, note_names
from edge.reports.judging import Rules
from edge.reports.labels import Label, LabelError, Labels, windows_for
from edge.reports.summary import spell_moment
from edge.shell.files.csv_file import CsvAccount, read_csv
from edge.shell.store import read_history


def give_labels(sources: Sequence[RecordedPlant], labels: Labels, name: str, rules: Rules, progress: Progress) -> None:
    """Assign labels to the sources that they concern.

    Args:
        sources: The sources of the backtest.
        labels: The labels that were read.
        name: The file that contained them.
        rules: The tolerances for matching labels.
        progress: The progress display.

    Raises:
        LabelError: A label matches no data; the message contains its position.
    """
    if labels.windows is not None:
        _give_windows(sources, labels.windows, name)
        for source in sources:
            if source.labels:
                extent = _extent(source, progress)
                for label in source.labels:
                    _places(label, [extent], rules)
        return
    extents = [_extent(each, progress) for each in sources]
    given: list[list[Label]] = [[] for _ in sources]
    for label in sorted(labels.spans, key=lambda each: (each.start, each.end)):
        for place in _places(label, extents, rules):
            given[place].append(label)
    for source, its_labels in zip(sources, given, strict=True):
        source.labels = its_labels


def _give_windows(sources: Sequence[RecordedPlant], windows: dict[str, list[Label]], name: str) -> None:
    for source in sources:
        found = [each for each in (windows_for(windows, file) for file in source.files) if each is not None]
        if found:
            source.labels = [label for each in found for label in each]
    if all(each.labels is None for each in sources):
        entries = ", ".join(list(windows)[:3]) or "none"
        raise LabelError(f"{name}: none of its entries ({entries}) is the name of a file that was given")


def _places(label: Label, extents: Sequence[Extent], rules: Rules) -> list[int]:
    """The sources that a label concerns."""
    sensor, slack = label.sensor, rules.grace_s
    knows = [place for place, each in enumerate(extents) if sensor is None or sensor in each.sensors]
    if not knows and sensor is not None:
        sensors = {name for each in extents for name in each.sensors}
        raise LabelError(f"{label.place}: there is no sensor {sensor!r} in the data{suggestion(sensor, sensors)}")
    fits = [
        each for each in knows if extents[each].first - slack <= label.end and label.start <= extents[each].last + slack
    ]
    if not fits:
        first, last = min(extents[each].first for each in knows), max(extents[each].last for each in knows)
        known = f"it goes from {spell_moment(first)} to {spell_moment(last)}" if first <= last else "it is empty"
        raise LabelError(f"{label.place}: there is no data at {spell_moment(label.start)}; {known} (UTC)")
    return fits


def _extent(source: RecordedPlant, progress: Progress) -> Extent:
    extent = Extent()
    progress.begin(f"{source.name}: looking for its sensors")
    if source.is_journal:
        history = read_history(source.files[0])
        names = [name for name, *_ in history.sensors]
        for part in history.parts:
            note_names(names, part)
            if isinstance(part, Readings):
                for slot, time in zip(part.batch.slots.tolist(), part.batch.times.tolist(), strict=True):
                    extent.take(had_it_last(names[slot]), time)
        return extent
    for file in source.files:
        account, size = CsvAccount(), max(1, file.stat().st_size)
        for number, reading in enumerate(read_csv(file, lenient=True, account=account)):
            extent.take(reading.sensor, reading.time)
            if number % CHUNK == 0:
                progress.at(account.bytes_read / size)
    return extent
