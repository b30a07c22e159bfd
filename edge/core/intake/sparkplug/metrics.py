"""Metrics: converts a payload to samples by means of its birth certificate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from math import isfinite

from edge.core.intake.decoders.base import NO_UNITS, Decoded, chronological
from edge.core.intake.decoders.documents.paths import key_problem
from edge.core.intake.decoders.records.sparkplug_payload import WITHOUT_VALUE, Metric, Payload
from edge.core.intake.decoders.sparkplug import SparkplugDecoder, is_bookkeeping
from edge.core.intake.sparkplug.nodes import BornMember, BornMetric, Defined, path_of
from edge.core.model.readings.messages import Refusal, Sample

LATEST_MS = 2**53
"""Times beyond this many milliseconds aren't exact as a float, and none is plausible."""


class MetricReader:
    """Reads the metrics of a payload.

    Attributes:
        refusals: Refusals of metrics that can't be read.
        newest: Latest time of a present (not historical) value, seconds since the epoch.
        has_unknown: Whether an alias isn't defined by the birth certificate.
    """

    def __init__(
        self, payload: Payload, decoder: SparkplugDecoder, member: BornMember, prefix: str, present: float
    ) -> None:
        self.refusals: list[Refusal] = []
        self.newest = present
        self.has_unknown = False
        self._decoder, self._member, self._prefix = decoder, member, prefix
        self._present, self._time = present, seconds(payload.time)
        self._paths, self._values, self._times = list[str](), list[float](), list[float | None]()
        self._past: list[Sample] = []
        self._absent: list[str] = []
        self._ignored = 0

    def take(self, metrics: Iterable[Metric]) -> None:
        """Take metrics in the order in which they were sent."""
        ignored, ignores = self._decoder.ignored, bool(self._decoder.ignored)
        by_alias, by_name, value_of = self._member.by_alias, self._member.by_name, self._decoder.value_of
        for metric in metrics:
            known = by_alias.get(metric.alias) if metric.name is None else by_name.get(metric.name)
            if known is None:
                known = self._undefined(metric)
            if known is None or not known.path:
                continue
            if ignores and ignored.fits(known.name):
                self._ignored += 1
                continue
            if metric.is_null or metric.quality in WITHOUT_VALUE:
                self._absent.append(known.path)
                continue
            value = metric.raw if type(metric.raw) is float else value_of(metric, known.datatype)
            if value is None:
                self._ignored += 1
            elif not isfinite(value):
                self.refusals.append(Refusal("not_finite", known.path))
            else:
                time = self._time if metric.time is None else min(metric.time, LATEST_MS) / 1000
                if metric.is_historical:
                    self._take_past(Sample(known.path, value, time))
                    continue
                if time is not None and time > self.newest:
                    self.newest = time
                self._paths.append(known.path)
                self._values.append(value)
                self._times.append(time)

    def decoded(self) -> Decoded:
        """The decoded data."""
        paths, values, times = self._paths, self._values, self._times
        its_times = [each for each in times if each is not None]
        if self._past or not paths or len(its_times) < len(times):
            samples = [*self._past, *map(Sample, paths, values, times)]
            samples.sort(key=lambda each: math.inf if each.time is None else each.time)
            row: Sequence[Sample] = samples
        else:
            row = chronological(tuple(paths), values, its_times)
        units = self._member.units or NO_UNITS
        return Decoded(row, self.refusals, ignored=self._ignored, units=units, absent=self._absent)

    def _take_past(self, sample: Sample) -> None:
        """Take a historical value, unless the node sent newer present values before this message."""
        if sample.time is None or sample.time <= self._present:
            self.refusals.append(Refusal("historical", sample.path))
        else:
            self._past.append(sample)

    def _undefined(self, metric: Metric) -> BornMetric | None:
        """The definition of a metric missing from the birth certificate; None if it is refused."""
        name, alias = metric.name, metric.alias
        if name is not None:
            problem = key_problem(name, len(self._prefix) + 1 + len(name))
            if problem is None:
                return BornMetric(name, "" if is_bookkeeping(name) else path_of(self._prefix, name), None)
            self.refusals.append(Refusal("bad_name", self._prefix, problem))
        elif alias is None:
            self.refusals.append(Refusal("bad_name", self._prefix, "a metric with neither a name nor an alias"))
        elif alias in self._member.by_alias:
            self.refusals.append(Refusal("alias_clash", self._prefix, f"alias {alias}"))
        else:
            self.refusals.append(Refusal("unknown_alias", self._prefix, f"alias {alias}"))
            self.has_unknown = True
        return None


def seconds(milliseconds: int | None) -> float | None:
    """A time in seconds since the epoch; None if not given."""
    return None if milliseconds is None else min(milliseconds, LATEST_MS) / 1000


def definitions(payload: Payload, prefix: str) -> tuple[list[Defined], list[Refusal]]:
    """The metrics that a birth certificate defines, and refusals of those without a usable name or alias."""
    defined: dict[tuple[str, int], Defined] = {}
    refusals: list[Refusal] = []
    aliases: dict[int, str] = {}
    for metric in payload.metrics:
        name, alias = metric.name or "", -1 if metric.alias is None else metric.alias
        problem = key_problem(name, len(prefix) + 1 + len(name))
        if problem is not None:
            refusals.append(Refusal("bad_name", prefix, f"the name of a metric: {problem}"))
            name = ""
        if alias >= 0 and aliases.setdefault(alias, name) != name:
            refusals.append(Refusal("alias_clash", path_of(prefix, name), f"alias {alias}"))
        if name or alias >= 0:
            datatype = -1 if metric.datatype is None else metric.datatype
            defined[name, alias] = (name, alias, datatype, metric.unit if name else "")
    return list(defined.values()), refusals
