"""A runner: the thread that reads the events for one sink, sends them, and records their outcomes.

It reads the store through read-only connections. Its position is stored by the loop, the only writer: events whose
position wasn't stored before a crash are sent again. The position never passes an event without an outcome, so all
events below it were confirmed, refused for good, or filtered out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from edge.core.incidents.events.gaps import Gap
from edge.shell.sinks.base import EventRefused, Outcome, Sink, SinkTrouble
from edge.shell.sinks.delivery.backoff import Backoff
from edge.shell.sinks.delivery.progress import SetAside, SinkProgress, SinkReport
from edge.shell.store import OutboxRow, SinkPosition, StoreError
from edge.shell.store.reading.sink_reading import Loss, SinkBacklog, SinkLimits

log = logging.getLogger("edgewarden.sinks")

READ_AHEAD = 500
"""Number of events read from the store at a time."""

POLL_S, IDLE_S = 0.2, 5.0
"""Time to wait for outcomes, and for new events when idle."""

LOOK_S = 10.0
"""Interval at which the backlog is measured and the limits are applied."""

LOOK_SHARE = 50
"""Measuring takes at most one part in this many of the time."""

CONFIRM_S = 30.0
"""A receiver with events in flight that has confirmed nothing for this long is considered dead."""

STORE_RETRY_S = 2.0
SHORT_S = 150.0
"""If the disk has been full for this long, waiting events are dropped; history was deleted before."""

FINISH_S = 2.0
"""How long a stopping runner waits for the outcome of events under way."""

MOST_SET_ASIDE = 1000
"""Maximum number of refused events waiting to be stored."""

IN_A_ROW = 10
"""Number of consecutive refusals that may be the receiver's fault; further ones are slowed down."""


class AgingClock(Protocol):
    """The current time, in seconds since the epoch, UTC."""

    def __call__(self) -> float:
        """The wall-clock time."""

    def aged(self) -> float:
        """The time used for ages."""


class RowReader(Protocol):
    """What a runner reads, see `SinkReader`."""

    def next(self, at: SinkPosition, most: int) -> tuple[list[OutboxRow], int]:
        """The next items, and the sequence up to which there are no others."""

    def waiting(self, at: SinkPosition) -> SinkBacklog:
        """How much waits."""

    def losses(
        self, at: SinkPosition, waiting: SinkBacklog, limits: SinkLimits, now: float, missing_disk: int = 0
    ) -> list[Loss]:
        """What limits have taken, or take now."""

    def missing_disk(self, limits: SinkLimits) -> int:
        """Bytes that the disk is short of."""


class SinkRunner:
    """Delivers the events of a store to one sink.

    Args:
        name: The sink's name.
        sink: The sink.
        reader: Reads the store for it.
        limits: The limits of its backlog.
        start: Its stored position.
        clock: The current time.
        monotonic: Seconds that never step.
        backoff: Pauses after failures.
    """

    def __init__(
        self,
        name: str,
        sink: Sink,
        reader: RowReader,
        limits: SinkLimits,
        start: SinkPosition,
        clock: AgingClock,
        monotonic: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self._sink = sink
        self._reader = reader
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._backoff = backoff or Backoff()
        self._at = start
        self._read_up_to = start.passed
        self._ahead: deque[OutboxRow] = deque()
        self._under_way: dict[int, OutboxRow] = {}
        self._keys: set[str] = set()
        self._news = threading.Event()
        self._news.set()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._progress = SinkProgress(start)
        self._report = SinkReport()
        self._heard_at = monotonic()
        self._looked_at: float | None = None
        self._look_s = LOOK_S
        self._short_since: float | None = None
        self._is_open = False
        self._in_a_row = 0
        self._counted = 0
        self._thread = threading.Thread(target=self._run, name=f"sink-{name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Request the end."""
        self._stopping.set()
        self._news.set()

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended, which fails if its receiver hangs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def stored(self) -> None:
        """Record that the store has new events."""
        self._news.set()

    def take(self) -> SinkProgress:
        """The position, and what must be stored before it."""
        with self._lock:
            taken, self._progress = self._progress, SinkProgress(self._progress.position)
        return taken

    @property
    def read_up_to(self) -> int:
        """Sequence of the last event that was read."""
        return self._read_up_to

    def report(self) -> SinkReport:
        """Its status."""
        with self._lock:
            return self._report

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause_s = 0.0
            try:
                if self._is_open:
                    self.turn()
                else:
                    self._open()
            except SinkTrouble as error:
                pause_s = self._note_trouble(str(error), error.retry_after_s)
            except StoreError as error:
                log.warning("sink_cannot_read sink=%s error=%r", self.name, str(error))
                self._void()
                pause_s = STORE_RETRY_S
            except Exception as error:
                # A client library that fails in an unforeseen way must not end this thread or the service.
                log.exception("sink_failed sink=%s", self.name)
                pause_s = self._note_trouble(f"{type(error).__name__} in the sink's client", 0.0)
            if pause_s:
                self._pause(pause_s)
        self._finish()

    def turn(self) -> None:
        """Send as far as there is room, and process outcomes; waits briefly if there are none.

        Raises:
            SinkTrouble: The sink has failed.
            StoreError: The store can't be read.
        """
        is_due = self._is_look_due()
        if is_due and not self._under_way:
            self._look()
            is_due = False
        has_sent = not is_due and len(self._progress.set_aside) < MOST_SET_ASIDE and self._send()
        outcomes = self._sink.outcomes(POLL_S if self._under_way and not has_sent else 0.0)
        if outcomes:
            self._note(outcomes)
        elif self._under_way and self._monotonic() - self._heard_at > CONFIRM_S:
            raise SinkTrouble(f"nothing was confirmed for {CONFIRM_S:g} s")
        self._pass()
        if not self._under_way and not has_sent and not is_due:
            self._news.wait(POLL_S if self._ahead else IDLE_S)

    def _open(self) -> None:
        if self._is_look_due():
            self._look()
        self._sink.open()
        self._is_open = True
        self._say(connected=True)
        log.info("sink_connected sink=%s", self.name)

    def _send(self) -> bool:
        """Send as far as there is room; returns whether anything was sent."""
        if not self._ahead and self._news.is_set():
            self._read()
        passed_over: list[OutboxRow] = []
        keys = self._keys if not self._sink.keeps_order else set()
        blocked = set(keys)
        has_sent = False
        while self._ahead and len(self._under_way) < self._sink.most:
            row = self._ahead[0]
            if row.sensor in blocked:
                passed_over.append(self._ahead.popleft())
                continue
            if not self._under_way:
                self._heard_at = self._monotonic()
            try:
                if not self._sink.send(row):
                    break
            except EventRefused as error:
                self._ahead.popleft()
                self._set_aside(row, str(error))
                has_sent = True
                continue
            self._ahead.popleft()
            self._under_way[row.sequence] = row
            has_sent = True
            if not self._sink.keeps_order:
                blocked.add(row.sensor)
                self._keys.add(row.sensor)
        self._ahead.extendleft(reversed(passed_over))
        return has_sent

    def _read(self) -> None:
        self._news.clear()
        at = SinkPosition(self._read_up_to, self._at.skipped)
        rows, up_to = self._reader.next(at, READ_AHEAD)
        self._ahead.extend(rows)
        self._read_up_to = up_to
        if len(rows) >= READ_AHEAD:
            self._news.set()

    def _note(self, outcomes: list[Outcome]) -> None:
        self._heard_at = self._monotonic()
        for sequence, refused in outcomes:
            row = self._under_way.pop(sequence, None)
            if row is None:
                continue
            self._keys.discard(row.sensor)
            if refused:
                self._set_aside(row, refused)
            else:
                self._in_a_row = 0
                self._backoff.succeeded()
                self._say(delivered=self._report.delivered + 1, failing_since=None)

    def _set_aside(self, row: OutboxRow, reason: str) -> None:
        self._in_a_row += 1
        with self._lock:
            self._progress.set_aside.append(SetAside(row, reason))
        self._say(set_aside=self._report.set_aside + 1, last_error=reason, last_error_at=self._clock())
        if self._in_a_row > IN_A_ROW:
            self._pass()
            raise SinkTrouble(f"{self._in_a_row} events in a row were refused: {reason}")

    def _pass(self) -> None:
        """Advance the position up to the first event without an outcome."""
        waits = [min(self._under_way)] if self._under_way else []
        if self._ahead:
            waits.append(self._ahead[0].sequence)
        passed = min(waits) - 1 if waits else self._read_up_to
        if passed > self._at.passed:
            self._at = self._at._replace(passed=passed)
            with self._lock:
                self._progress.position = self._at

    def _is_look_due(self) -> bool:
        return self._looked_at is None or self._monotonic() - self._looked_at >= self._look_s

    def _look(self) -> None:
        """Measure the backlog, and drop what exceeds the limits; only while nothing is in flight."""
        began = self._monotonic()
        waiting = self._reader.waiting(self._at)
        missing = self._missing_disk(began)
        losses = self._reader.losses(self._at, waiting, self._limits, self._clock.aged(), missing)
        for each in losses:
            self._lose(each.gap, each.up_to)
        if losses:
            waiting = self._reader.waiting(self._at)
        ended = self._monotonic()
        passed_s = ended - (self._looked_at if self._looked_at is not None else ended)
        rate = (self._report.delivered - self._counted) / passed_s if passed_s > 0 else 0.0
        self._counted = self._report.delivered
        self._looked_at = ended
        self._look_s = max(LOOK_S, LOOK_SHARE * (ended - began))
        self._say(waiting=waiting, per_second=rate)

    def _missing_disk(self, now: float) -> int:
        missing = self._reader.missing_disk(self._limits)
        if missing <= 0:
            self._short_since = None
            return 0
        if self._short_since is None:
            self._short_since = now
        return missing if now - self._short_since >= SHORT_S else 0

    def _lose(self, gap: Gap, up_to: int) -> None:
        self._void()
        self._at = self._at._replace(skipped=max(self._at.skipped, up_to))
        with self._lock:
            self._progress.position = self._at
            self._progress.gaps.append(gap)
        self._say(lost=self._report.lost + (gap.number or 0))

    def _void(self) -> None:
        """Resume reading at the position."""
        self._ahead.clear()
        self._under_way.clear()
        self._keys.clear()
        self._read_up_to = self._at.passed
        self._news.set()

    def _note_trouble(self, words: str, retry_after_s: float) -> float:
        """Close the connection and void the events in flight; returns the seconds to wait."""
        was_open = self._is_open
        self._close()
        self._void()
        pause_s = max(retry_after_s, self._backoff.failed())
        report = self._report
        if was_open or words != report.last_error:
            log.warning("sink_trouble sink=%s error=%r retry_s=%.0f", self.name, words, pause_s)
        now = self._clock()
        since = report.failing_since if report.failing_since is not None else now
        self._say(connected=False, last_error=words, last_error_at=now, failing_since=since)
        return pause_s

    def _pause(self, seconds: float) -> None:
        """Wait, applying the limits meanwhile."""
        until = self._monotonic() + seconds
        while not self._stopping.is_set() and (left_s := until - self._monotonic()) > 0:
            if self._is_look_due():
                try:
                    self._look()
                except StoreError as error:
                    log.warning("sink_cannot_read sink=%s error=%r", self.name, str(error))
                    self._looked_at = self._monotonic()
            self._stopping.wait(min(left_s, LOOK_S))

    def _finish(self) -> None:
        """Wait briefly for the events in flight, and close the sink."""
        until = self._monotonic() + FINISH_S
        try:
            while self._is_open and self._under_way and self._monotonic() < until:
                self._note(self._sink.outcomes(POLL_S))
            self._pass()
        except SinkTrouble as error:
            log.info("sink_trouble sink=%s error=%r", self.name, str(error))
        self._close()

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._sink.close()

    def _say(self, **changes: Any) -> None:
        with self._lock:
            self._report = self._report._replace(**changes)
