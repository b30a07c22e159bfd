"""Metrics in OpenMetrics: the figures of the topic `health` in base units, and those of the page itself.

No label is a sensor's name, so the number of series depends only on the reasons, inputs, links and sinks.

Source: OpenMetrics 1.0; written by prometheus_client.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from edge.shell.activity.figures import FIGURES, SINK_FIGURES, Figure

PREFIX = "edgewarden"
KIND = CONTENT_TYPE_LATEST


class MetricsCollector:
    """A collector of a service's figures.

    Args:
        status: The contents of the status file.
        more: Gauges of the page itself, by name, with description and value.
    """

    def __init__(self, status: Mapping[str, Any], more: Mapping[str, tuple[str, float]]) -> None:
        self._status, self._more = status, more

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        status, health = self._status, self._status["health"]
        yield InfoMetricFamily(PREFIX, "What runs", {"version": status["version"], "gateway": status["gateway"]})
        for figure in FIGURES:
            if figure.key in health:
                yield _metric(figure, health[figure.key])
        yield from self._of_sinks(health.get("sinks", {}))
        yield from self._of_links()
        yield from self._of_inputs()
        problems = GaugeMetricFamily(f"{PREFIX}_problems", "Problems that there are", labels=["problem"])
        for name, count in Counter(each["problem"] for each in health["problems"]).items():
            problems.add_metric([name], count)
        yield problems
        yield GaugeMetricFamily(f"{PREFIX}_time_seconds", "The time according to the service", _epoch(health["time"]))
        if health.get("backlog_since"):
            words = "When the oldest event that waits for delivery was stored"
            yield GaugeMetricFamily(
                f"{PREFIX}_backlog_oldest_timestamp_seconds", words, _epoch(health["backlog_since"])
            )
        for name, (words, value) in self._more.items():
            yield GaugeMetricFamily(f"{PREFIX}_{name}", words, value)

    @staticmethod
    def _of_sinks(sinks: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
        for figure in SINK_FIGURES if sinks else ():
            family = _family(figure, "sink")
            for name, each in sinks.items():
                family.add_metric([name], float(each[figure.key]))
            yield family

    def _of_links(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(f"{PREFIX}_connected", "Whether a broker is connected", labels=["carries"])
        for each in self._status["connections"]:
            family.add_metric([each["carries"]], float(each["connected"]))
        yield family

    def _of_inputs(self) -> Iterator[Metric]:
        count = CounterMetricFamily(f"{PREFIX}_input_messages", "Messages that an input has received", labels=["input"])
        words = "Time of an input's last message"
        last = GaugeMetricFamily(f"{PREFIX}_input_last_message_timestamp_seconds", words, labels=["input"])
        for each in self._status["inputs"]:
            count.add_metric([each["topic"]], each["messages"])
            if each["last"]:
                last.add_metric([each["topic"]], _epoch(each["last"]))
        yield from (count, last)


def metrics(status: Mapping[str, Any], more: Mapping[str, tuple[str, float]]) -> bytes:
    """All metrics as text; see `MetricsCollector`."""
    registry = CollectorRegistry()
    registry.register(MetricsCollector(status, more))
    ProcessCollector(registry=registry)
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text


def _family(figure: Figure, label: str) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
    return kind(f"{PREFIX}_{figure.name}", figure.help, labels=[label] if label else ())


def _metric(figure: Figure, value: Any) -> Metric:
    family = _family(figure, figure.label)
    if not figure.label:
        family.add_metric([], float(value))
        return family
    for name, count in value.items():
        family.add_metric([name], count)
    return family


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
