"""Series: the history of sensors for their plots, computed one at a time in a separate process, with a cache."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import msgspec

from edge.page.loop.handover import BusyError
from edge.page.store.past_series import MOST_SCORED, Job, plot_of
from edge.page.store.stored_readings import kept_readings

log = logging.getLogger("edgewarden.page")

REMEMBERED = 12
REMEMBERED_S = 20.0
MOST_WAITING = 8
LONGEST_S = 90.0
LONGEST_LINE = 8 * 2**20
FAILED = "The past can't be shown: the process that reads it has ended."


class Past:
    """The history of one sensor as it becomes available: the readings, then the readings with scores and bands."""

    def __init__(self, asked: float) -> None:
        self.asked = asked
        self.answers: list[asyncio.Future[dict[str, Any]]] = [
            asyncio.get_running_loop().create_future() for _ in range(2)
        ]
        self.work: asyncio.Task[None] | None = None


class SeriesReader:
    """Returns the history of sensors.

    Args:
        store: The store's file.
        configuration: The configuration's file.
    """

    def __init__(self, store: Path, configuration: Path) -> None:
        self._store, self._configuration = store, configuration
        self._known: OrderedDict[tuple[str, float], Past] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def of(self, name: str, hours: float, until: float, *, scored: bool) -> dict[str, Any]:
        """The readings of a sensor, optionally with the detectors' results.

        Args:
            name: Name of the sensor or device.
            hours: Length of the plot in seconds.
            until: End of the plot, seconds since the epoch, UTC.
            scored: Whether to include scores and bands, which take longer.

        Raises:
            BusyError: It isn't available now.
        """
        now = time.monotonic()
        past = self._known.get((name, hours))
        if past is None or (now - past.asked > REMEMBERED_S and not scored):
            if self._waiting >= MOST_WAITING:
                raise BusyError("too many pages read the past at once")
            past = self._known[name, hours] = Past(now)
            job = Job(str(self._store), str(self._configuration), name, until - 3600.0 * hours, until)
            past.work = asyncio.create_task(self._do(job, past))
            self._known.move_to_end((name, hours))
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return await asyncio.shield(past.answers[scored])

    async def _do(self, job: Job, past: Past) -> None:
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                await asyncio.wait_for(self._run(job, past), LONGEST_S)
        except (TimeoutError, OSError, ValueError, msgspec.DecodeError) as error:
            log.warning("past_not_read sensor=%r error=%r", job.name, str(error) or type(error).__name__)
        finally:
            self._waiting -= 1
            for each in past.answers:
                if not each.done():
                    each.set_result({"error": FAILED})

    @staticmethod
    async def _run(job: Job, past: Past) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.page.store.past_series"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
        )
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
            process.stdin.write(msgspec.json.encode(job))
            process.stdin.close()
            for answer in past.answers:
                line = await process.stdout.readline()
                if not line:
                    break
                answer.set_result(msgspec.json.decode(line))
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def plain_run(store: Path, name: str, since: float, until: float) -> dict[str, Any]:
    """The readings of a sensor as a run in its plot, without scores.

    Raises:
        StoreError: The store can't be read.
    """
    kept, _ = kept_readings(store, frozenset([name]), since)
    rows = kept[name].within(since, until).rows()
    return {"run": plot_of(rows), "readings": rows.shape[1], "more": True}


def note_on(found: dict[str, Any]) -> str:
    """Notes about a plot, for the reader."""
    if found.get("more"):
        return "Working out what the detectors made of it …"
    if not found["readings"]:
        return "No reading of this time is stored."
    unscored = found.get("unscored")
    if unscored is None:
        return ""
    left_out = f", of the last {MOST_SCORED:,} readings" if unscored else ""
    return f"Band and surprise of the past are recomputed from the stored readings{left_out}."
