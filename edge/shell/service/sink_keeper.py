"""Sink keeper: the loop's view of the sinks, their threads and positions, which only the loop stores.

Events that a sink has refused for good or that a limit has dropped are reported in the next commit. The sink's position
advances past them only once that is stored: a crash at any moment repeats events but hides none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.core.incidents.events.event import timestamp
from edge.core.model.readings.messages import DeadLetter, Refusal
from edge.core.persistence.steps.step import Step
from edge.shell.activity.problems import Problem
from edge.shell.service.gap_reporter import GapReporter
from edge.shell.service.turns.commit_group import CommitGroup
from edge.shell.sinks.base import Sink
from edge.shell.sinks.delivery.progress import SetAside, SinkProgress
from edge.shell.sinks.delivery.runner import AgingClock, SinkRunner
from edge.shell.sinks.kinds import make_reader, make_sink
from edge.shell.sinks.options import ForwardOptions, SinkOptions
from edge.shell.store import SinkPosition, Store, StoreError
from edge.shell.store.reading.journal_packs import at_end_of
from edge.shell.system.logs import BOUNDED
from edge.shell.system.wall_clock import WallClock

log = logging.getLogger("edgewarden.sinks")

WRITE_S = 1.0
"""Minimum interval between writes of the sinks' positions; after a crash, later events are sent again."""

STOP_S = 5.0
"""Threads of removed sinks get this long to end, together."""

FAILING_S = 30.0
"""A sink that has delivered nothing for this long is a problem."""

TELL_S = 60.0
BEGINNING = 256

FORWARD = "forward/"
"""Prefix of the names of forwarders' positions; no log's name begins with it."""


def forward_positions(store: Store) -> dict[str, SinkPosition]:
    """The forwarders' positions in the journal, by name."""
    found = store.positions().items()
    return {log.removeprefix(FORWARD): SinkPosition(at) for log, at in found if log.startswith(FORWARD)}


class SinkKeeper:
    """Runs the sinks and stores their positions.

    Args:
        path: The store's file.
        options: Options of the sinks.
        clock: The current time.
        monotonic: Seconds that never step.
        make: Creates a sink.
    """

    def __init__(
        self,
        path: Path = Path(),
        options: Sequence[SinkOptions] = (),
        clock: AgingClock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        make: Callable[[SinkOptions], Sink] = make_sink,
    ) -> None:
        self._path = path
        self._options = {each.name: each for each in options}
        self._clock, self._monotonic, self._make = clock or WallClock(0.0), monotonic, make
        self._runners: dict[str, SinkRunner] = {}
        self._store: Store | None = None
        self._positions: dict[str, SinkPosition] = {}
        self._written: dict[str, SinkPosition] | None = None
        self._write_at = 0.0
        self._awaits_commit = False
        self._logged: dict[str, tuple[float, int]] = {}

    def join(self, gaps: GapReporter, group: CommitGroup) -> None:
        """Attach it to the reporter of gaps and to the next commit."""
        self._gaps, self._group = gaps, group
        gaps.also_read_up_to = lambda: max((each.read_up_to for each in self._runners.values()), default=0)

    def turn(self, store: Store) -> None:
        """Collect the sinks' progress, and store it when due; never blocks.

        Raises:
            StoreError: The store can't be read or written; the next turn retries.
        """
        if self._awaits_commit:
            return
        now = self._monotonic()
        if store is not self._store:
            self._begin(store)
        if now < self._write_at:
            return
        for name, runner in self._runners.items():
            self._take(name, runner.take(), now)
        if not self._awaits_commit:
            self._write(store, now)

    def committed(self) -> None:
        """Record a commit: there may be new events, and positions may be stored."""
        if self._awaits_commit:
            self._awaits_commit, self._write_at = False, 0.0
        for each in self._runners.values():
            each.stored()

    def has(self, options: Sequence[SinkOptions]) -> bool:
        """Whether these are the current sinks."""
        return list(self._options.values()) == list(options)

    def follow(self, options: Sequence[SinkOptions]) -> None:
        """Change the sinks after everything was committed; unchanged ones continue without interruption."""
        wanted = {each.name: each for each in options}
        left = [name for name in self._runners if self._options[name] != wanted.get(name)]
        self._stop(left)
        for name in left:
            runner = self._runners.pop(name)
            self._take(name, runner.take(), self._monotonic())
            if name not in wanted:
                _note_removed(name, runner.report().waiting.events)
        self._options = wanted
        self._positions = {name: each for name, each in self._positions.items() if name in wanted}
        self._store = None

    def close(self, store: Store) -> None:
        """End the threads and store their positions; if that fails, recent events are sent again."""
        self._stop(list(self._runners))
        try:
            for name, runner in self._runners.items():
                progress = runner.take()
                if progress.set_aside:
                    store.append((), [self._letter(name, each) for each in progress.set_aside], now=self._clock())
                if not progress.gaps and not self._awaits_commit:
                    self._positions[name] = progress.position
            if self._runners:
                self._write(store, self._monotonic())
        except StoreError as error:
            log.warning("sinks_not_written error=%r", str(error))

    def as_dict(self) -> dict[str, object]:
        """The status of each sink, for `health`."""
        found: dict[str, object] = {}
        for name, runner in self._runners.items():
            report = runner.report()
            waiting = report.waiting
            found[name] = {
                "kind": self._options[name].kind,
                "connected": report.connected,
                "lag_events": waiting.events,
                "lag_bytes": waiting.size,
                "lag_since": None if waiting.since is None else timestamp(waiting.since),
                "delivered": report.delivered,
                "per_second": round(report.per_second, 1),
                "set_aside": report.set_aside,
                "lost": report.lost,
                "last_error": report.last_error,
                "last_error_at": None if report.last_error_at is None else timestamp(report.last_error_at),
            }
        return found

    def problems(self) -> list[Problem]:
        """Sinks that don't deliver."""
        reports = [(name, runner.report()) for name, runner in self._runners.items()]
        return [
            {"problem": "sink_failing", "sink": name, "reason": report.last_error}
            for name, report in reports
            if report.failing_since is not None and self._clock() - report.failing_since >= FAILING_S
        ]

    def _begin(self, store: Store) -> None:
        """Begin with a store; one that replaces a damaged one continues from the known positions."""
        known = {**store.sinks(), **forward_positions(store), **self._positions}
        if self._written is None:  # the start of the service
            for name in store.sinks().keys() - self._options.keys():
                _note_removed(name, None)
        self._positions = {}
        for name, each in self._options.items():
            is_forward = isinstance(each.how, ForwardOptions)
            end = at_end_of(store.journal_ends()) if is_forward else store.last_sequence()
            begin = SinkPosition(end) if each.begin == "now" else SinkPosition()
            position = known.get(name, known.get(each.follows, begin))
            if is_forward and position.passed > end:  # another journal, which starts again
                position = SinkPosition()
                self._stop([each for each in self._runners if each == name])
                self._runners.pop(name, None)
            self._positions[name] = position
        self._written = None
        self._write(store, self._monotonic())
        self._store = store
        for name, each in self._options.items():
            if name not in self._runners:
                reader = make_reader(self._path, each)
                position = self._positions[name]
                runner = SinkRunner(name, self._make(each), reader, each.limits, position, self._clock, self._monotonic)
                self._runners[name] = runner
                log.info("sink_started sink=%s kind=%s passed=%d", name, each.kind, position.passed)
                runner.start()

    def _take(self, name: str, progress: SinkProgress, now: float) -> None:
        self._positions[name] = progress.position
        if progress.set_aside:
            letters = [self._letter(name, each) for each in progress.set_aside]
            self._group.add(Step(dead_letters=letters), (), now)
            self._tell(name, progress.set_aside, now)
        for gap in progress.gaps:
            self._gaps.report(gap)
        if progress.set_aside or progress.gaps:
            self._awaits_commit = True

    def _letter(self, name: str, aside: SetAside) -> DeadLetter:
        row, reason = aside
        refusal = Refusal("sink_refused", name, reason)
        return DeadLetter(row.topic, self._clock(), refusal, row.payload[:BEGINNING], len(row.payload))

    def _tell(self, name: str, asides: Sequence[SetAside], now: float) -> None:
        told_at, untold = self._logged.get(name, (-TELL_S, 0))
        untold += len(asides)
        if now - told_at >= TELL_S:
            row, reason = asides[-1]
            log.warning(
                "sink_refused sink=%s events=%d last=%d topic=%r reason=%r",
                *(name, untold, row.sequence, row.topic, reason),
            )
            told_at, untold = now, 0
        self._logged[name] = told_at, untold

    def _write(self, store: Store, now: float) -> None:
        self._write_at = now + WRITE_S
        if self._positions != self._written:
            is_forward = {name: isinstance(each.how, ForwardOptions) for name, each in self._options.items()}
            store.note_sinks({name: each for name, each in self._positions.items() if not is_forward.get(name)})
            forwards = {f"{FORWARD}{name}": max(each) for name, each in self._positions.items() if is_forward.get(name)}
            if forwards:
                store.note_positions(forwards)
            self._written = dict(self._positions)

    def _stop(self, names: Sequence[str]) -> None:
        for each in names:
            self._runners[each].stop()
        until = self._monotonic() + STOP_S
        for each in names:
            self._runners[each].join(max(0.0, until - self._monotonic()))


def _note_removed(name: str, waiting: int | None) -> None:
    """Log that a sink is no longer configured: events waiting for it are never delivered."""
    number = "unknown" if waiting is None else str(waiting)
    words = "sink_removed sink=%s waiting=%s reason='no longer in the configuration'"
    log.warning(words, name, number, extra=BOUNDED)
