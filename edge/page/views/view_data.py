"""Looking: the data of the page's views as JSON."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.core.model.readings.messages import REASONS
from edge.core.operator.commands import REASONS as COMMAND_REASONS
from edge.page.loop.core_queries import SensorPageData, one_sensor, open_now, sensor_columns, shelved, status, watching
from edge.page.loop.handover import Handover
from edge.page.loop.recent_views import RecentViews
from edge.page.request_handling import BadRequestError, Handler, json, number_of, problem, text_of
from edge.page.store.series import SeriesReader, note_on, plain_run
from edge.page.store.store_reader import StoreReader
from edge.page.views.incidents import incident_row, worst_first
from edge.page.views.sensor_list import STATES, WantedSensors, chosen, sensor_row
from edge.shell.store import StoreError
from edge.shell.store.reading.overview import LetterFilter, read_dead_letters
from edge.shell.store.reading.past_incidents import IncidentFilter, PastIncident, read_incidents, read_sentences

A_PAGE = 100
"""Number of rows returned at once."""

MEANINGS = COMMAND_REASONS | REASONS
"""The meaning of reasons; where commands and readings share one, that for readings, which are more frequent."""

SHORT_H = 24
"""Hours of readings that are read here before the scoring process has started; more would take too long."""

LONGEST_OPEN_S = 7 * 86_400.0
"""Incidents raised up to this long before the start of a plot are included."""

SEVERITIES = {"info": 1, "warn": 251, "error": 501, "fatal": 751}


class ViewData:
    """Answers the page's requests.

    Args:
        views: The loop's view of the service, shared by all requests.
        handover: Queries the loop.
        reader: Reads the store.
        series: Returns the history of sensors.
    """

    def __init__(self, views: RecentViews, handover: Handover, reader: StoreReader, series: SeriesReader) -> None:
        self._views, self._handover, self._reader, self._series = views, handover, reader, series

    def handlers(self) -> dict[str, Handler]:
        """The handler of each address."""
        return {
            "/api/incidents": self.incidents,
            "/api/sensors": self.sensors,
            "/api/sensor": self.sensor,
            "/api/series": self.series,
            "/api/history": self.history,
            "/api/refused": self.refused,
            "/api/shelved": self.shelved,
        }

    async def incidents(self, request: Request) -> Response:
        """Open incidents, most severe first, one page at a time."""
        first = int(number_of(request, "first", 0, 0, 1e6))
        now = await self._views.of(open_now)
        shown = worst_first(now.events)[first : first + A_PAGE]
        rows = [incident_row(each) for each in shown]
        if unsaid := [each["incident"] for each in rows if not each["sentence"]]:
            sentences = await self._sentences(unsaid)
            rows = [each | {"sentence": each["sentence"] or sentences.get(each["incident"], "")} for each in rows]
        return json(
            {
                "open": len(now.events),
                "first": first,
                "rows": rows,
                "clock": _milliseconds(now.clock),
                "sensors": now.sensors,
                "quiet": now.quiet,
            }
        )

    async def sensors(self, request: Request) -> Response:
        """Sensors selected by name and state, sorted, one page at a time."""
        state = text_of(request, "state", 20)
        if state and state not in STATES:
            raise BadRequestError(f"state must be one of {', '.join(STATES)}")
        first = int(number_of(request, "first", 0, 0, 1e6))
        wanted = WantedSensors(text_of(request, "find").casefold(), state, text_of(request, "order", 20))
        columns = await self._views.of(sensor_columns)
        slots = chosen(columns, wanted)
        shown = slots[first : first + A_PAGE]
        how = await self._handover.ask(lambda running: watching(running, shown))
        rows = [sensor_row(columns, slot, watched) for slot, watched in zip(shown, how, strict=True)]
        return json({"found": len(slots), "first": first, "rows": rows, "clock": _milliseconds(columns.clock)})

    async def sensor(self, request: Request) -> Response:
        """Everything about one sensor except its history."""
        name = text_of(request, "name")
        found = await self._handover.ask(lambda running: one_sensor(running, name))
        if found is None:
            return problem(404, "There is no such sensor.")
        past = await self._reader.read(read_incidents, IncidentFilter(sensor=name), A_PAGE)
        row = _sensor(found)
        incident = row["incident"]
        if incident is not None and not incident["sentence"]:
            incident["sentence"] = (await self._sentences([incident["incident"]])).get(incident["incident"], "")
        return json(row | {"past": [_past(each) for each in past]})

    async def series(self, request: Request) -> Response:
        """The history of a sensor for its plot; first the readings, then also the scores."""
        name, hours = text_of(request, "name"), number_of(request, "hours", 6, 0.1, 24 * 31)
        is_scored = number_of(request, "scored", 0, 0, 1) == 1
        now = await self._views.of(open_now)
        if now.clock is None:
            return problem(404, "No reading has arrived yet.")
        if is_scored or hours > SHORT_H:
            found = await self._series.of(name, hours, now.clock, scored=is_scored)
        else:
            found = await self._reader.read(plain_run, name, now.clock - 3600.0 * hours, now.clock)
        if "error" in found:
            return problem(503, found["error"])
        since = IncidentFilter(sensor=name, since=now.clock - 3600.0 * hours - LONGEST_OPEN_S)
        past = await self._reader.read(read_incidents, since, A_PAGE)
        marks = [
            {
                "raised": round(1000 * each.raised),
                "ended": _milliseconds(each.ended),
                "severity": each.severity,
                "message": each.sentence,
                "word": "",
            }
            for each in reversed(past)
        ]
        whole = {
            "start": round(1000 * (now.clock - 3600.0 * hours)),
            "end": round(1000 * now.clock),
            "labels": [],
            "runs": [found["run"] | {"incidents": marks}],
        }
        more = {"readings": found["readings"], "more": bool(found.get("more")), "note": note_on(found)}
        return json({"plot": whole, **more})

    async def history(self, request: Request) -> Response:
        """Incidents of any time, latest first, one page at a time."""
        before = int(number_of(request, "before", 0, 0, 2**62))
        severity = text_of(request, "severity", 10)
        if severity and severity not in SEVERITIES:
            raise BadRequestError(f"severity must be one of {', '.join(SEVERITIES)}")
        kind = text_of(request, "kind", 30)
        chosen_ones = IncidentFilter(
            text=text_of(request, "find"),
            kinds=(kind,) if kind else (),
            severity=SEVERITIES.get(severity, 1),
            since=_seconds(request, "since"),
            until=_seconds(request, "until"),
        )
        found = await self._reader.read(read_incidents, chosen_ones, A_PAGE, before or None)
        return json({"rows": [_past(each) for each in found], "more": len(found) == A_PAGE})

    async def refused(self, _request: Request) -> Response:
        """Refused input since the start, by reason, and the latest dead letters."""
        current = await self._views.of(status)
        letters = await self._reader.read(read_dead_letters, LetterFilter(), A_PAGE)
        kept = [
            {
                "arrived": round(1000 * each["arrived"]),
                "topic": each["topic"],
                "reason": each["reason"],
                "path": each["path"],
                "detail": each["detail"],
                "beginning": bytes(each["beginning"]).decode("utf-8", "backslashreplace"),
                "size": each["size"],
            }
            for each in reversed(letters)
        ]
        reasons = [each | {"meaning": MEANINGS.get(each["reason"], "")} for each in current["refused"]]
        return json({"reasons": reasons, "letters": kept})

    async def shelved(self, _request: Request) -> Response:
        """The muted sensors and the maintenance windows."""
        return json(msgspec.Raw(await self._views.of(shelved)))

    async def _sentences(self, incidents: list[str]) -> dict[str, str]:
        try:
            return await self._reader.read(read_sentences, incidents)
        except StoreError:  # the list is worth more than its sentences
            return {}


def _sensor(found: SensorPageData) -> dict[str, Any]:
    watched = found.watching
    return {
        "sensor": found.name,
        "unit": watched.unit,
        "device": watched.device or "",
        "detectors": watched.detectors,
        "limits": watched.limits,
        "level": watched.level,
        "learned": watched.learned,
        "readings": found.readings,
        "time": _milliseconds(found.time),
        "value": found.value,
        "interval": found.interval,
        "watched": found.watched,
        "quiet": found.quiet,
        "incident": None if found.event is None else incident_row(found.event),
        "belongs": found.belongs,
        "clock": _milliseconds(found.clock),
    }


def _past(each: PastIncident) -> dict[str, Any]:
    return each._asdict() | {"raised": round(1000 * each.raised), "ended": _milliseconds(each.ended)}


def _milliseconds(seconds: float | None) -> int | None:
    return round(1000 * seconds) if seconds is not None and math.isfinite(seconds) else None


def _seconds(request: Request, name: str) -> float | None:
    """A time parameter of the query, given in milliseconds since the epoch."""
    found = number_of(request, name, math.inf, -1e14, 1e14)
    return None if math.isinf(found) else found / 1000
