"""The decoder interface: a decoder reads one payload format and documents three properties.

1. How to interpret a repeated value: `repetition`, and "Repetition:" in its docstring.
2. Where the time of a reading comes from: "Time:" in its docstring.
3. How to interpret a retained message: "Retained:" in its docstring. Retained messages are old, so they are learned
   only if they have a time.

The format is chosen by the configured route, never guessed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from edge.core.model.readings.messages import Row
from edge.core.model.sensors.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.intake.availability import Presence
    from edge.core.model.readings.messages import Refusal, Sample


NO_UNITS: Mapping[str, str] = MappingProxyType({})


class Decoded(NamedTuple):
    """What a payload holds: samples, and refusals for the parts that can't be read.

    Attributes:
        samples: The samples in the order in which they are to be processed.
        refusals: The parts of the payload that were refused.
        relative_below: Times below this are seconds after the arrival, before it if negative.
        ignored: Number of fields left out by configuration.
        units: Units given in the payload, by path.
        absent: Paths that the payload marks as having no value.
        words: Availability reported by devices.
    """

    samples: Sequence[Sample]
    refusals: list[Refusal]
    relative_below: float = -math.inf
    ignored: int = 0
    units: Mapping[str, str] = NO_UNITS
    absent: Sequence[str] = ()
    words: Sequence[Presence] = ()

    def says_its_times(self) -> bool:
        """Whether every sample carries its own time, so that none depends on the arrival time."""
        return all(each.time is not None and each.time >= self.relative_below for each in self.samples)

    def newest_time(self) -> float | None:
        """The latest time carried by a sample; None if no sample carries one."""
        samples, bound = self.samples, self.relative_below
        if not isinstance(samples, Row):
            return max((each.time for each in samples if each.time is not None and each.time >= bound), default=None)
        times = samples.times or ()
        return max(times if bound == -math.inf else [each for each in times if each >= bound], default=None)

    def after(self, arrived: float) -> Sequence[Sample]:
        """The samples with relative times resolved against the arrival time, or the same object if there are none."""
        samples, bound = self.samples, self.relative_below
        if bound == -math.inf:
            return samples
        if isinstance(samples, Row):
            if samples.times is None or min(samples.times, default=bound) >= bound:
                return samples
            return Row(samples.paths, samples.values, [_after(arrived, each, bound) for each in samples.times])
        if all(each.time is None or each.time >= bound for each in samples):
            return samples
        return [
            each if each.time is None else each._replace(time=_after(arrived, each.time, bound)) for each in samples
        ]


def _after(arrived: float, time: float, bound: float) -> float:
    return arrived + time if time < bound else time


class Decoder(ABC):
    """Base of every decoder: a frozen dataclass of its options, without state.

    Attributes:
        name: The name in configurations.
        repetition: How to interpret a repeated value unless the input overrides it.
    """

    name: ClassVar[str]
    repetition: ClassVar[Repetition]

    @abstractmethod
    def decode(self, payload: bytes, arrived: float = math.nan) -> Decoded:
        """Read a payload.

        Args:
            payload: Any bytes at all.
            arrived: Arrival time in seconds since the epoch, used for times that are incomplete without it; NaN if
                unknown.

        Returns:
            Finite samples, and refusals for fields that should be readings but aren't. Of the payload they contain
            field names only.

        Raises:
            Refused: Nothing in the payload can be read. No other exception is raised.
        """


def finite_values(values: Mapping[str, float]) -> Mapping[str, float]:
    """A read-only copy of the numbers that words are mapped to.

    Raises:
        ValueError: A number isn't finite.
    """
    for word, number in values.items():
        if not math.isfinite(number):
            raise ValueError(f"{word!r} stands for {number}, which is not finite")
    return MappingProxyType({word: float(number) for word, number in values.items()})


def as_numbers(values: list[Any]) -> list[float] | None:
    """The values as numbers; None if a value isn't a number or the sum overflows a float."""
    types = set(map(type, values))
    try:
        numbers = values if types == {float} else list(map(float, values)) if types <= {float, int} else None
        return numbers if numbers is not None and math.isfinite(sum(numbers)) else None
    except OverflowError:
        return None


def chronological(paths: tuple[str, ...], values: list[float], times: list[float]) -> Row:
    """A row sorted by time; the order of equal times is kept."""
    in_order = sorted(times)
    if in_order == times:
        return Row(paths, values, times)
    order = sorted(range(len(times)), key=times.__getitem__)
    return Row(tuple([paths[each] for each in order]), [values[each] for each in order], in_order)
