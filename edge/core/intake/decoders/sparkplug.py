"""Sparkplug B payloads: the options of an input, and decoding without birth certificates.

The service uses `edge.core.intake.sparkplug`, which tracks birth certificates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING, ClassVar

from edge.core.intake.decoders.base import Decoded, Decoder, finite_values
from edge.core.intake.decoders.documents.options import Ignored
from edge.core.intake.decoders.documents.paths import key_problem, level
from edge.core.intake.decoders.records.sparkplug_payload import STRING, Metric, number_of, read_payload
from edge.core.model.readings.messages import Refusal, Refused, Sample
from edge.core.model.sensors.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTROLS = ("Node Control/", "Device Control/")
"""Name prefixes of metrics that control the node."""

BIRTH_AND_DEATH = "bdSeq"
"""The metric that matches a death certificate to its birth certificate."""


def is_bookkeeping(name: str) -> bool:
    """Whether a metric is part of the Sparkplug protocol and never a sensor."""
    return name == BIRTH_AND_DEATH or name.startswith(CONTROLS)


@dataclass(frozen=True)
class SparkplugDecoder(Decoder):
    """Reads the numbers and booleans of Sparkplug B payloads.

    A sensor's path is group, node, device and the metric's name. Texts, data sets, templates, files and arrays are left
    out and counted, except texts that the configuration maps; protocol metrics are left out without being counted. On
    its own the decoder knows no birth certificates: a path is then the metric's name or alias.

    Repetition: on_change. Time: the metric's, else the payload's, else the arrival's. Retained: refused, since only
    live births and deaths show which nodes are present.

    Attributes:
        values: Numbers for texts.
        readings: Maximum number of metrics in a payload.
        ignore: Globs on the names of metrics to leave out.
        rebirth: Whether to request missing birth certificates from nodes.
        gap_s: How long to wait for a missing message before requesting a rebirth, in seconds.

    Raises:
        ValueError: A mapped number isn't finite.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    readings: int = 10_000
    ignore: tuple[str, ...] = ()
    rebirth: bool = True
    gap_s: float = 5.0
    name: ClassVar[str] = "sparkplug"
    repetition: ClassVar[Repetition] = Repetition.ON_CHANGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", finite_values(self.values))

    @cached_property
    def ignored(self) -> Ignored:
        """The metrics that are left out."""
        return Ignored(self.ignore)

    def decode(self, payload: bytes, arrived: float = nan) -> Decoded:  # noqa: ARG002 - its times are absolute
        """See `Decoder`."""
        read = read_payload(payload)
        if len(read.metrics) > self.readings:
            raise Refused("too_many_readings", f"{len(read.metrics)} metrics")
        samples, refusals, ignored = list[Sample](), list[Refusal](), 0
        for metric in read.metrics:
            name = metric.name if metric.name is not None else f"alias {metric.alias}"
            if is_bookkeeping(name):
                continue
            path = level(name)
            value = self.value_of(metric)
            if key_problem(name, len(name)) is not None:
                refusals.append(Refusal("bad_name"))
            elif value is None or self.ignored.fits(name):
                ignored += 1
            elif not isfinite(value):
                refusals.append(Refusal("not_finite", path))
            else:
                time = metric.time if metric.time is not None else read.time
                samples.append(Sample(path, value, None if time is None else time / 1000))
        if not samples and not refusals:
            raise Refused("no_value")
        return Decoded(samples, refusals, ignored=ignored)

    def value_of(self, metric: Metric, datatype: int | None = None) -> float | None:
        """The number that a metric is or is mapped to; None if there is none, or it is marked as having no value.

        Args:
            metric: Any metric.
            datatype: From its birth certificate.
        """
        if metric.kind == STRING and not metric.is_null and isinstance(metric.raw, str):
            return self.values.get(metric.raw)
        return number_of(metric, datatype)
