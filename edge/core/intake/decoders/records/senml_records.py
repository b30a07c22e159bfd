"""SenML records, resolved one by one as in RFC 8428: every field is checked, every error has a named reason.

`SenmlDecoder` reads packs of the usual shape by columns, with the same result; this handles all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Literal, NamedTuple

from edge.core.intake.decoders.notation.mixed_units import UnitsInPayload, is_unit
from edge.core.model.readings.messages import Refusal, Refused, Sample

LABELS: Mapping[Any, str] = {
    -1: "bver",
    -2: "bn",
    -3: "bt",
    -4: "bu",
    -5: "bv",
    -6: "bs",
    0: "n",
    1: "u",
    2: "v",
    3: "vs",
    4: "vb",
    5: "s",
    6: "t",
    7: "ut",
    8: "vd",
}
"""The CBOR encoding of each label (RFC 8428, table 4)."""

KNOWN = frozenset(LABELS.values())
BASE = frozenset({"bver", "bn", "bt", "bu", "bv", "bs"})
VALUES = ("v", "vs", "vb", "vd")

VERSION = 10
"""The default version, that of RFC 8428; drafts had lower versions with the same meaning."""

SECONDARY_UNITS = 26
"""The version of packs that use the secondary units of RFC 8798 (RFC 9100)."""

RELATIVE_BELOW = float(2**28)
"""Times below this are relative to now, in seconds (RFC 8428, 4.5.3)."""

LONGEST_PATH = 200
"""Maximum length of a path in characters; sensor names have the same limit."""


class ResolvedPack(NamedTuple):
    """The contents of a pack: samples in the order of their records, refusals, and units."""

    samples: list[Sample]
    refusals: list[Refusal]
    units: UnitsInPayload


class _BaseFields:
    """The base fields in effect."""

    __slots__ = ("name", "sum", "time", "unit", "value", "version")

    def __init__(self) -> None:
        self.name = ""
        self.time: float = 0
        self.unit: str | None = None
        self.value: float = 0
        self.sum: float | None = None
        self.version: int | None = None

    def take(self, record: Mapping[str, Any], index: int) -> None:
        """Apply a record's base fields.

        Raises:
            Refused: A base field is invalid. Every later record depends on it, so the rest of the pack is lost.
        """
        if "bver" in record:
            version = record["bver"]
            self.version = self.version or version
            if not is_known_version(version) or version != self.version:
                raise Refused("malformed", "a version of SenML that isn't known, or two versions", f"{index}/bver")
        self.name = _base(record, "bn", index, self.name, _as_text)
        self.unit = _base(record, "bu", index, self.unit, _as_text)
        self.time = _base(record, "bt", index, self.time, _as_number)
        self.value = _base(record, "bv", index, self.value, _as_number)
        self.sum = _base(record, "bs", index, self.sum, _as_number)


def resolve(pack: list[Any], values: Mapping[str, float], most: int) -> ResolvedPack:
    """Resolve the records of a pack.

    Args:
        pack: The records; not modified.
        values: Numbers for texts, `true` and `false`.
        most: Maximum number of samples and refusals together.

    Raises:
        Refused: The whole pack is unusable: a base field is invalid, a mandatory field or the version is unknown, or it
            holds too much.
    """
    base = _BaseFields()
    found = ResolvedPack([], [], UnitsInPayload())
    for index, given in enumerate(pack):
        if isinstance(given, dict):
            record = {LABELS.get(key, key): value for key, value in given.items()}
            for key in record.keys() - KNOWN:
                if isinstance(key, str) and key.endswith("_"):
                    raise Refused(
                        "malformed", "a field whose name ends in _ must be understood", f"{index}/{key}"[:200]
                    )
            base.take(record, index)
            _take(record, index, base, values, found)
        else:
            found.refusals.append(Refusal("not_a_number", str(index), "not a record"))
        if len(found.samples) + len(found.refusals) > most:
            raise Refused("too_many_readings", f"more than {most}")
    return found


def _take(
    record: Mapping[str, Any], index: int, base: _BaseFields, values: Mapping[str, float], found: ResolvedPack
) -> None:
    """Read the measurement of a record."""
    given = [each for each in VALUES if each in record]
    if not given and "s" not in record:
        if not record.keys() & BASE or record.keys() & {"n", "t", "u"}:
            found.refusals.append(Refusal("no_value", str(index)))
        return
    time = _as_number(record.get("t", 0))
    total = None if time is None else base.time + time
    if total is None or not isfinite(total):
        found.refusals.append(Refusal("bad_time", f"{index}/t", "not a number of seconds"))
        return
    path = _path(record, base)
    if path is None or len(path) > LONGEST_PATH:
        found.refusals.append(Refusal("bad_name", f"{index}/n", "too long" if path else "not a text"))
    elif len(given) > 1:
        found.refusals.append(Refusal("malformed", str(index), "more than one value"))
    else:
        if given:
            unit = record.get("u", base.unit)
            value = _value(given[0], record[given[0]], base, values)
            _add(found, path, value, float(total), unit if is_unit(unit) else "")
        if "s" in record or base.sum is not None:
            part = _number(record.get("s", 0))
            whole = part if isinstance(part, str) else _finite((base.sum or 0) + part)
            _add(found, f"{path}/sum" if path else "sum", whole, float(total))


def _add(found: ResolvedPack, path: str, value: float | str, time: float, unit: str = "") -> None:
    same = found.units.in_first(path, value, unit) if not isinstance(value, str) else Refusal(value)
    if isinstance(same, Refusal):
        found.refusals.append(same._replace(path=path))
    else:
        found.samples.append(Sample(path, same, time))


def _path(record: Mapping[str, Any], base: _BaseFields) -> str | None:
    """The path of a record's sensor; None if its name isn't a text."""
    name = record.get("n", "")
    if not isinstance(name, str):
        return None
    unit = record.get("u")
    other_unit = unit if "n" not in record and isinstance(unit, str) and base.unit not in {None, unit} else ""
    return path_of(base.name + name, other_unit)


def path_of(name: str, other_unit: str) -> str:
    """The path of a sensor: its resolved name without leading and trailing slashes.

    Args:
        name: The resolved name.
        other_unit: The unit, if it is all that distinguishes the record from others of the same name; see
            `docs/howto/senml.md`.
    """
    name = name.strip("/")
    return f"{name}/{other_unit}".strip("/") if other_unit else name


def is_known_version(version: Any) -> bool:
    """Whether records of this version are supported."""
    return type(version) is int and (1 <= version <= VERSION or version == SECONDARY_UNITS)


def _value(label: str, value: Any, base: _BaseFields, values: Mapping[str, float]) -> float | str:
    """The number that a value field holds or is mapped to, or why there is none, a key of `REASONS`."""
    if label == "v":
        number = _number(value)
        return number if isinstance(number, str) else _finite(base.value + number)
    if label == "vs" and isinstance(value, str):
        return values.get(value, "not_a_number")
    if label == "vb" and isinstance(value, bool):
        return values.get(str(value).lower(), "not_a_number")
    return "not_a_number"


def _number(value: Any) -> float | str:
    """A number, or why it isn't one."""
    if type(value) not in {int, float}:
        return "not_a_number"
    number = _as_number(value)
    return "not_finite" if number is None else number


def _finite(number: float) -> float | str:
    return float(number) if isfinite(number) else "not_finite"


def _as_number(value: Any) -> float | None:
    """A finite number unchanged, or None. Integers stay integers, so that a sum of times is rounded once."""
    try:
        return value if type(value) in {int, float} and isfinite(value) else None
    except OverflowError:
        return None


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _base(
    record: Mapping[str, Any], label: Literal["bn", "bt", "bu", "bv", "bs"], index: int, now: Any, read: Any
) -> Any:
    """A base field that takes effect from this record on."""
    if label not in record:
        return now
    value = read(record[label])
    if value is None:
        raise Refused("malformed", f"{label} isn't a {'text' if read is _as_text else 'number'}", f"{index}/{label}")
    return value
