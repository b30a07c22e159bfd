"""What a decoder is: it reads one format of payload, and says three things about it.

1. What it means that a value is sent again: `repetition`, and "Repetition:" in its docstring.
2. Where a reading's time comes from: "Time:" in its docstring.
3. What a retained message means: "Retained:" in its docstring. It is old, so without a time of its own it is
   not learned from.

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
        samples: In the order in which they are to be taken.
        refusals: Of parts of the payload.
        relative_below: Times below this are seconds after the arrival, before it if negative.
        ignored: How many fields were left out, as the configuration says.
        units: What the payload says of units, by path.
        absent: Paths at which it says that there is no value.
        words: What devices say of themselves: that they are there, or gone.
    """

    samples: Sequence[Sample]
    refusals: list[Refusal]
    relative_below: float = -math.inf
    ignored: int = 0
    units: Mapping[str, str] = NO_UNITS
    absent: Sequence[str] = ()
    words: Sequence[Presence] = ()

    def says_its_times(self) -> bool:
        """Whether every sample says its time by itself, so that it isn't known by its arrival alone."""
        return all(each.time is not None and each.time >= self.relative_below for each in self.samples)

    def newest_time(self) -> float | None:
        """The latest time that a sample says by itself; None if none does."""
        samples, bound = self.samples, self.relative_below
        if not isinstance(samples, Row):
            return max((each.time for each in samples if each.time is not None and each.time >= bound), default=None)
        times = samples.times or ()
        return max(times if bound == -math.inf else [each for each in times if each >= bound], default=None)

    def after(self, arrived: float) -> Sequence[Sample]:
        """The samples, relative times put behind an arrival; the very same ones where there are none."""
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
        repetition: What a repetition means unless the input says otherwise.
    """

    name: ClassVar[str]
    repetition: ClassVar[Repetition]

    @abstractmethod
    def decode(self, payload: bytes, arrived: float = math.nan) -> Decoded:
        """Read a payload.

        Args:
            payload: Any bytes at all.
            arrived: When it arrived, seconds since the epoch, for times that can't be told without it; NaN if that
                isn't known.

        Returns:
            Finite samples, and what stands where a reading might but isn't one. They hold no part of the
            payload but the names of its fields.

        Raises:
            Refused: Nothing in it can be read. Nothing else is ever raised.
        """


def finite_values(values: Mapping[str, float]) -> Mapping[str, float]:
    """A copy of the numbers that words stand for, which nobody can change.

    Raises:
        ValueError: One of them isn't finite.
    """
    for word, number in values.items():
        if not math.isfinite(number):
            raise ValueError(f"{word!r} stands for {number}, which is not finite")
    return MappingProxyType({word: float(number) for word, number in values.items()})


def as_numbers(values: list[Any]) -> list[float] | None:
    """The numbers that values are; None if one of them is none, or their sum is beyond what a float holds."""
    types = set(map(type, values))
    try:
        numbers = values if types == {float} else list(map(float, values)) if types <= {float, int} else None
        return numbers if numbers is not None and math.isfinite(sum(numbers)) else None
    except OverflowError:
        return None


def chronological(paths: tuple[str, ...], values: list[float], times: list[float]) -> Row:
    """A row whose times don't fall; equal ones keep their order."""
    in_order = sorted(times)
    if in_order == times:
        return Row(paths, values, times)
    order = sorted(range(len(times)), key=times.__getitem__)
    return Row(tuple([paths[each] for each in order]), [values[each] for each in order], in_order)
