"""InfluxDB line protocol, as Telegraf publishes it: one line per device and time.

cpu,cpu=cpu0,host=gw usage_idle=98.2,usage_user=1.1 1700000000000000000
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, nan
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from edge.core.intake.decoders.base import Decoded, Decoder, chronological, finite_values
from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.intake.decoders.records.line_protocol import Line, is_text, read_line
from edge.core.model.bounded_cache import BoundedCache, size_of
from edge.core.model.readings.messages import Refusal, Refused, Row, Sample
from edge.core.model.sensors.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PARTS = {"ns": 1_000_000_000, "us": 1_000_000, "ms": 1_000, "s": 1}
"""Number of units of each precision per second."""

CACHE_BYTES = 4 * 2**20
"""Maximum size of all lines that a decoder caches."""

FIELD_BYTES = 150
"""Memory that a cached line needs for each field in addition to its text."""

MOST_FIELDS = 1_000
"""Maximum number of fields of a cached line."""


class _Seen(NamedTuple):
    """A cached line, which holds numbers, and strings and booleans that aren't mapped to one.

    Attributes:
        paths: Paths of its numbers.
        numbers: Positions of the numbers among its fields; None if all fields are numbers.
        texts: Positions of the other fields.
        refusals: Refusals of the other fields.
        has_whole: Whether some numbers were integers, marked by a suffix letter.
    """

    paths: tuple[str, ...]
    numbers: tuple[int, ...] | None
    texts: tuple[int, ...]
    refusals: tuple[Refusal, ...]
    has_whole: bool


@dataclass(frozen=True)
class InfluxDecoder(Decoder):
    """Reads the fields of line protocol: floats, integers and unsigned integers.

    A field's path is the measurement, the values of the tags in the order of their keys, and the field's key, joined by
    slashes; slashes within them become colons. Strings and booleans are refused individually unless the configuration
    maps them. A malformed line invalidates only itself. Fields are read in the order of their times.

    Repetition: periodic. Time: of each line, in the configured precision, else of arrival. Retained: refused
    unless each line has a time.

    Attributes:
        values: Numbers for strings; `true` and `false` map booleans.
        precision: Unit of the timestamps, a key of `PARTS`.
        readings: Maximum number of readings, refused fields and refused lines in a payload.

    Raises:
        ValueError: A mapped number isn't finite.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    precision: str = "ns"
    readings: int = 10_000
    _seen: BoundedCache[tuple[str, tuple[str, ...]], _Seen] = field(
        default_factory=lambda: BoundedCache(CACHE_BYTES), init=False, repr=False, compare=False
    )
    name: ClassVar[str] = "influx"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", finite_values(self.values))

    def decode(self, payload: bytes, arrived: float = nan) -> Decoded:  # noqa: ARG002 - its times are absolute
        """See `Decoder`."""
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise Refused("not_utf8", instead("influx", payload) or "") from None
        found = _Found()
        place, number = 0, 0
        while place < len(text):
            number += 1
            newline = text.find("\n", place)
            end = len(text) if newline < 0 else newline
            line = text[place:end]
            if not line or line[0] == "#" or line.isspace() or self._take_again(line, found):
                place = end + 1
            else:
                read = read_line(text, place, number, self.values)
                self._take(read, line, found)
                number += text.count("\n", place, read.end - 1)
                place = read.end
            if len(found.values) + len(found.refusals) > self.readings:
                raise Refused("too_many_readings", f"more than {self.readings}")
        if not found.values:
            self._check_is_line_protocol(payload, found.refusals)
        return Decoded(found.samples(), found.refusals)

    def _take_again(self, line: str, found: _Found) -> bool:
        """Take a line that matches a cached one; otherwise return False and change nothing."""
        line = line.removesuffix("\r")
        if not _is_usual(line):
            return False
        head, _, rest = line.partition(" ")
        fields, _, stamp = rest.partition(" ")
        try:
            keys, given = zip(*[each.split("=") for each in fields.split(",")], strict=True)
        except ValueError:
            return False
        seen = self._seen.get((head, keys))
        if seen is None or (seen.texts and not all(is_text(given[place]) for place in seen.texts)):
            return False
        written = given if seen.numbers is None else [given[place] for place in seen.numbers]
        numbers = _numbers(written, has_whole=seen.has_whole)
        if numbers is None:
            return False
        time = None
        if stamp:
            if not stamp.isdecimal() or len(stamp) > 20:
                return False
            time = int(stamp) / PARTS[self.precision]
        found.add(seen.paths, numbers, time)
        found.refusals += seen.refusals
        return True

    def _take(self, read: Line, line: str, found: _Found) -> None:
        """Take a fully parsed line and cache its structure."""
        time = None if read.stamp is None else read.stamp / PARTS[self.precision]
        found.add(read.paths, read.values, time)
        found.refusals += read.refusals
        head, count = line.partition(" ")[0], len(read.keys)
        are_texts = not self.values and all(each.reason == "not_a_number" for each in read.refusals)
        if (
            not head
            or not 0 < count <= MOST_FIELDS
            or (read.refusals and not are_texts)
            or not _is_usual(line.rstrip())
        ):
            return
        texts = tuple(sorted(set(range(count)).difference(read.numbers)))
        numbers = tuple(read.numbers) if texts else None
        seen = _Seen(tuple(read.paths), numbers, texts, tuple(read.refusals), read.has_whole)
        self._seen.put((head, read.keys), seen, size_of(head, *read.keys, *read.paths) + FIELD_BYTES * count)

    @staticmethod
    def _check_is_line_protocol(payload: bytes, refusals: list[Refusal]) -> None:
        """Refuse a payload that holds no line or looks like another format.

        Raises:
            Refused: There is no line, or it looks like another format.
        """
        if not refusals:
            raise Refused("no_value" if payload.strip() else "empty")
        if all(each.reason == "malformed" for each in refusals):
            raise Refused("malformed", instead("influx", payload) or refusals[0].detail, refusals[0].path)


class _Found:
    """The results so far."""

    __slots__ = ("paths", "refusals", "times", "values")

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.values: list[float] = []
        self.times: list[float | None] = []
        self.refusals: list[Refusal] = []

    def add(self, paths: tuple[str, ...] | list[str], values: list[float], time: float | None) -> None:
        self.paths += paths
        self.values += values
        self.times += [time] * len(values)

    def samples(self) -> Row | list[Sample]:
        times = [each for each in self.times if each is not None]
        if not times:
            return Row(tuple(self.paths), self.values, None)
        if len(times) == len(self.times):
            return chronological(tuple(self.paths), self.values, times)
        return list(map(Sample, self.paths, self.values, self.times))


def _is_usual(line: str) -> bool:
    """Whether a line needs no full parse: it has no escapes, tabs or non-ASCII characters."""
    return line.isascii() and line.isprintable() and "\\" not in line


def _numbers(given: Sequence[str], *, has_whole: bool) -> list[float] | None:
    """The field values as numbers; None if one isn't a number or differs in type from the cached line."""
    if "_" in "".join(given):  # Python reads 1_000 as a number, line protocol doesn't
        return None
    try:
        numbers = list(map(_number, given) if has_whole else map(float, given))
    except (ValueError, OverflowError):
        return None
    return numbers if isfinite(sum(numbers)) else None


def _number(given: str) -> float:
    """Parse a number, or an integer with its suffix letter.

    Raises:
        ValueError: It isn't a number.
        OverflowError: It is too large.
    """
    if given.endswith("i") or (given.endswith("u") and given[0] not in "+-"):
        return float(int(given[:-1]))
    return float(given)
