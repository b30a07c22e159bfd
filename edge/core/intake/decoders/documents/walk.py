"""Traverses a document and collects every number in it.

Ordinary objects take a faster path, see `fields.py`; the results are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, isinf
from typing import Any

from edge.core.intake.decoders.base import Decoded
from edge.core.intake.decoders.documents.elements.twins import Twins
from edge.core.intake.decoders.documents.json_text import document_in
from edge.core.intake.decoders.documents.keys.answer_keys import codes_of_answer
from edge.core.intake.decoders.documents.keys.identifier_keys import is_identifier, is_version
from edge.core.intake.decoders.documents.keys.message_keys import ENDS, addresses_in
from edge.core.intake.decoders.documents.keys.quality_keys import quality_of
from edge.core.intake.decoders.documents.keys.time_keys import is_time_beside
from edge.core.intake.decoders.documents.keys.unit_keys import VALUE_KEYS, unit_in
from edge.core.intake.decoders.documents.lists import (
    IN_TIME,
    NUMBER,
    NUMBERED,
    UNTOLD,
    Kind,
    is_senml,
    kind_of,
    name_of_element,
    name_of_reading,
)
from edge.core.intake.decoders.documents.options import Items, Options, identifying_text
from edge.core.intake.decoders.documents.paths import LONGEST, OF, key_problem, level, shown
from edge.core.intake.decoders.documents.series import columns_in, pairs_in, rows_in
from edge.core.intake.decoders.notation.mixed_units import UnitsInPayload
from edge.core.intake.decoders.notation.text_numbers import TOO_LARGE, TextNumber
from edge.core.model.readings.messages import Refusal, Refused, Sample

DEVICE = ("model", "id")
"""Fields that together identify the device, as rtl_433 sends them."""

NO_NUMBER = "no field holds a number; values = { ... } says which words are numbers"
WHICH = 'items = "...[*]" with name = "{...}" says what tells them apart'
_ALIKE = {
    NUMBERED: f"elements of a list have times and are numbered by {NUMBER}: {WHICH}",
    UNTOLD: f"elements of a list have one time and nothing that names them: {WHICH}",
}
"""Why lists are refused whose elements can't be told apart."""


class Walk:
    """One traversal of a document.

    Args:
        options: How to read it.
        arrived: Arrival time, seconds since the epoch, or NaN.
    """

    __slots__ = (
        "_absent",
        "_arrived",
        "_element",
        "_ignored",
        "_is_bad",
        "_lone",
        "_options",
        "_refusals",
        "_room",
        "_samples",
        "_skipped",
        "_units",
    )

    def __init__(self, options: Options, arrived: float) -> None:
        self._options = options
        self._arrived = arrived
        self._samples: list[Sample] = []
        self._refusals: list[Refusal] = []
        self._units = UnitsInPayload()
        self._ignored = 0
        self._absent: list[str] = []  # paths at which the document says that there is no value
        self._skipped = options.sender.top_level()  # fields of the document that name its sensors
        self._room = options.most
        self._is_bad = False  # whether an object around the value declares its content bad
        self._element = ""  # where in a list we are; goes before the paths of refusals
        self._lone: set[str] | None = None  # paths without a time, in a list whose elements have no names

    def read(self, document: Any) -> Decoded:
        """The contents of a document.

        Raises:
            Refused: Nothing in it can be used.
        """
        options = self._options
        sender = "".join(f"{each}{OF}" for each in options.sender.ask(document)) if options.sender.fields else ""
        sender = self._device(document) if options.names_devices and isinstance(document, dict) else sender
        if options.items is not None:
            self._items(document, options.items, sender)
        elif isinstance(document, list):
            self._array(document, sender)
        elif isinstance(document, dict):
            self._record(document, f"{sender}{self._name(document)}", sender)
        else:
            self._leaf(document, sender, None)
        stands_alone = isinstance(document, list) or (isinstance(document, dict) and options.value_key in document)
        is_left_out = self._ignored > 0 and not self._refusals and not self._absent
        if not self._samples and not is_left_out and not (stands_alone and self._refusals):
            raise self._nothing()
        return Decoded(
            self._samples, self._refusals, ignored=self._ignored, units=self._units.first, absent=self._absent
        )

    def _device(self, fields: dict[str, Any]) -> str:
        """The path prefix of an object that identifies its device by model and ID; else an empty string."""
        texts = [identifying_text(fields.get(each)) for each in DEVICE]
        if None in texts:
            return ""
        self._skipped = frozenset(DEVICE)
        return "".join(f"{each}/" for each in texts)

    def _name(self, fields: dict[str, Any]) -> str:
        """The name that a document has if it is one reading; empty if it has none."""
        options = self._options
        if not options.names_devices or options.value_key not in fields:
            return ""
        return name_of_reading(fields, {options.value_key, *options.times.find(fields, self._arrived).keys}) or ""

    def _record(self, fields: dict[str, Any], alone: str, before: str, time: float | None = None) -> None:
        """Read an object: one reading if it has the value key, else a container of readings.

        Args:
            fields: The object.
            alone: Path of that one reading.
            before: Path prefix of contained readings.
            time: Time of the enclosing object.
        """
        options = self._options
        if options.value_key not in fields or isinstance(document_in(fields[options.value_key]), (dict, list)):
            self._object(fields, before, time, 1)
            return
        time = self._time(fields, before, time)[0]
        self._units.note_beside(alone, unit_in(fields))
        was_bad = self._is_bad
        self._is_bad = was_bad or quality_of(fields)[0]
        self._leaf(fields[options.value_key], alone, time, said_at=f"{before}{options.value_key}")
        self._is_bad = was_bad

    def _object(self, fields: dict[str, Any], before: str, time: float | None, depth: int) -> None:
        time, held = self._time(fields, before, time)
        is_bad, qualities = quality_of(fields)
        codes = codes_of_answer(fields)
        if ENDS[0] in fields:
            codes |= addresses_in(fields)
        self._ignored += len(codes)
        held |= qualities | codes
        columns = columns_in(fields, self._options.times, self._arrived)
        was_bad, self._is_bad = self._is_bad, self._is_bad or is_bad
        if columns is not None:
            held = held.union((columns[0],), columns[1])
            for key, values in columns[1].items():
                if not self._is_left_out(key, f"{before}{level(key)}", before, depth):
                    self._series(values, f"{before}{level(key)}")
        if (table := rows_in(fields)) is not None:
            held |= table[0]
            self._rows(table[1], before, time, depth)
        if (unit := unit_in(fields)) or self._units.beside:
            for key in {self._options.value_key, *VALUE_KEYS}.intersection(fields):
                self._units.note_beside(f"{before}{key}", unit)
        self._fields(((key, value) for key, value in fields.items() if key not in held), before, time, depth)
        self._is_bad = was_bad

    def _rows(self, rows: list[dict[str, Any]], before: str, time: float | None, depth: int) -> None:
        """Read the rows of a table; one without a name is the object around it."""
        if len(rows) == 1 and self._kind(rows) is None:
            self._object(rows[0], before, time, depth)
        else:
            self._elements(rows, before, time, depth)

    def _series(self, pairs: list[tuple[float, Any]], path: str) -> None:
        """Read the values of one sensor, each with its time."""
        for time, value in pairs:
            self._leaf(value, path, time)

    def _time(self, fields: dict[str, Any], before: str, time: float | None) -> tuple[float | None, frozenset[str]]:
        """The time of an object and the keys that hold it; that of the enclosing object or of its header if none do."""
        found = self._options.times.find(fields, self._arrived)
        if found.unreadable is not None:
            key, why, reason = found.unreadable
            self._refuse(reason, f"{before}{key}", f"{why}; the time around it or of arrival counts")
        if found.time is not None or time is not None:
            return time if found.time is None else found.time, found.keys
        return self._options.times.find_in_header(fields, self._arrived), found.keys

    def _fields(self, fields: Iterable[tuple[str, Any]], before: str, time: float | None, depth: int) -> None:
        for key, value in fields:
            path = f"{before}{level(key)}"
            if not self._is_left_out(key, path, before, depth):
                self._value(value, path, time, depth)

    def _is_left_out(self, key: str, path: str, before: str, depth: int) -> bool:
        """Whether a field isn't read, for its name or by configuration; it is counted."""
        problem = key_problem(key, len(path) - before.rfind(OF) - 1)
        if problem is not None:
            self._refuse("bad_name", f"{before}{key}", problem)
            return True
        if self._options.ignored and self._options.ignored.fits(shown(path)):
            self._ignored += 1
            return True
        return depth == 1 and key in self._skipped

    def _value(self, value: Any, path: str, time: float | None, depth: int) -> None:
        if isinstance(value, str):
            value = document_in(value)
        if not isinstance(value, (dict, list)):
            self._leaf(value, path, time)
        elif depth >= self._options.depth:
            self._refuse("too_deep", path)
        elif isinstance(value, dict):
            self._object(value, f"{path}/", time, depth + 1)
        else:
            self._list(value, path, time, depth + 1)

    def _list(self, elements: list[Any], path: str, time: float | None, depth: int) -> None:
        """Read a nested array: a series, or separate elements."""
        if (series := pairs_in(elements, self._options.times, self._arrived)) is not None:
            self._series(series, path)
        else:
            self._elements(elements, f"{path}/", time, depth)

    def _elements(self, elements: list[Any], before: str, time: float | None, depth: int) -> None:
        """Read elements of an array, which are identified by name, by time, or by position."""
        kind = self._kind(elements, before.removesuffix("/").rpartition("/")[2])
        if isinstance(kind, str) and kind in _ALIKE:
            self._refuse("no_sender", before.removesuffix("/"), _ALIKE[kind])
            return
        met = Twins(self._options.times, self._arrived)
        for index, element in enumerate(elements):
            if kind is None:
                self._fields([(str(index), element)], before, time, depth)
            else:
                begin, keys = len(self._samples), () if isinstance(kind, str) else kind
                name = f"{before}{name_of_element(element, keys)}/" if keys else before
                self._object(_without(element, keys), name, time, depth)
                self._keep_apart(met, element, begin)

    def _keep_apart(self, met: Twins, element: dict[str, Any], begin: int) -> None:
        """Refuse the readings since `begin` that an earlier element of that name has, too."""
        fresh = self._samples[begin:]
        if twice := met.among(fresh, element):
            self._samples[begin:] = [each for each in fresh if each not in twice]
            for each in twice:
                why = f"elements of a list have one name and no times of their own: {WHICH}"
                self._refuse("no_sender", each.path, why)

    def _kind(self, elements: list[Any], within: str = "") -> Kind:
        return kind_of(elements, self._options.times, self._options.value_key, self._arrived, within)

    def _array(self, elements: list[Any], before: str) -> None:
        """Read an array that is the whole document: each element is separate."""
        if any(is_senml(each) for each in elements[:4]):
            raise Refused("malformed", 'not JSON of readings; looks like SenML: format = "senml"')
        kind = self._kind(elements)
        if isinstance(kind, str) and kind in _ALIKE:
            raise Refused("no_sender", _ALIKE[kind])
        if (series := pairs_in(elements, self._options.times, self._arrived)) is not None:
            self._series(series, before)
            return
        self._lone = set() if kind is None or kind is IN_TIME else None
        met = Twins(self._options.times, self._arrived)
        are_scalars = not any(isinstance(each, (dict, list)) for each in elements)
        for index, element in enumerate(elements):
            self._element = f"{index}/"
            if are_scalars:
                self._leaf(element, f"{before}{index}", None, said_at="")
            elif not isinstance(element, dict):
                self._refuse("not_a_number", "", "not an object")
            elif kind is None:
                self._record(element, before, before)
            else:
                begin, keys = len(self._samples), () if isinstance(kind, str) else kind
                name = f"{before}{name_of_element(element, keys)}"
                self._record(_without(element, keys), name, f"{name}/" if keys else before)
                self._keep_apart(met, element, begin)

    def _items(self, document: Any, items: Items, before: str) -> None:
        """Read only the array or object that the input selects."""
        time: float | None = None
        found = document
        for key in items.at:
            if isinstance(found, dict):
                time = self._time(found, before, time)[0]
                found = found.get(key)
            else:
                found = None
        if isinstance(found, dict) and not items.is_list:
            self._record(found, before, before, time)
            return
        if not isinstance(found, list) or not items.is_list:
            kind = "list" if items.is_list else "object"
            raise Refused("no_value", f"there is no {kind} at {'.'.join(items.at) or 'the top'}")
        for index, element in enumerate(found):
            self._element = f"{index}/"
            fields = element if isinstance(element, dict) else {self._options.value_key: element}
            name = items.name_of(fields, index)
            if name is None:
                self._refuse("no_sender", before, f"an element has no text or whole number for {items.name}")
            else:
                self._record(fields, f"{before}{name}", f"{before}{name}/", time)

    def _leaf(self, value: Any, path: str, time: float | None, said_at: str | None = None) -> None:
        if (type(value) is int and is_identifier(path)) or is_version(path):
            self._ignored += 1
            return
        if isinstance(value, str) and self._options.texts.is_absent(value):
            self._absent.append(path)
            self._ignored += 1
            return
        unit = ""
        if not isinstance(value, float) or not isfinite(value):
            found = self._number(value, path)
            if isinstance(found, Refusal):
                self._refuse(found.reason, path if said_at is None else said_at, found.detail)
                return
            value, unit = found if isinstance(found, TextNumber) else (found, "")
        if value in self._options.absent or self._is_bad:
            self._absent.append(path)
            self._ignored += 1
        elif is_time_beside(path, value):
            self._ignored += 1
        else:
            self._keep(value, path, time, unit)

    def _keep(self, value: float, path: str, time: float | None, unit: str) -> None:
        """Keep a value as a sample, in the unit that its path has in this payload."""
        if time is None and self._lone is not None:
            if path in self._lone:
                self._refuse("no_sender", path, f"elements of a list have neither times nor names: {WHICH}")
                return
            self._lone.add(path)
        if unit or self._units.beside:
            same = self._units.in_first(path, value, unit)
            if isinstance(same, Refusal):
                self._refuse(same.reason, path, same.detail)
                return
            value = same
        self._count()
        self._samples.append(Sample(path, value, time))

    def _number(self, value: Any, path: str) -> float | TextNumber | Refusal:
        """The number that a value is or is mapped to, or the reason why it isn't one."""
        texts = self._options.texts
        if isinstance(value, float):
            return value if isfinite(value) else Refusal("not_finite", "", TOO_LARGE if isinf(value) else "")
        if isinstance(value, str):
            is_name = is_identifier(path)
            found = None if is_name and value.isalnum() and value not in texts.values else texts.find(value)
            if found is None or (is_name and found.unit):
                why = None if is_name else texts.why_unread(value)
                return why or Refusal("not_a_number")
            return found
        if isinstance(value, int) and not isinstance(value, bool):
            return _float(value)
        number = texts.values.get(str(value).lower()) if isinstance(value, bool) else None
        return Refusal("not_a_number") if number is None else number

    def _refuse(self, reason: str, path: str, detail: str = "") -> None:
        self._count()
        path = shown(path)[:LONGEST]
        element = self._element if path else self._element.rstrip("/")
        self._refusals.append(Refusal(reason, f"{element}{path}", detail))

    def _count(self) -> None:
        self._room -= 1
        if self._room < 0:
            raise Refused("too_many_readings", f"more than {self._options.most}")

    def _nothing(self) -> Refused:
        """The refusal of a document without readings: its fault if there is one, else that it holds no number."""
        for each in self._refusals:
            if each.reason != "not_a_number":
                return Refused(each.reason, each.detail, each.path, self._absent)
        return Refused("no_value", NO_NUMBER if self._refusals and not self._absent else "", absent=self._absent)


def _float(value: int) -> float | Refusal:
    try:
        return float(value)
    except OverflowError:
        return Refusal("not_finite", "", TOO_LARGE)


def _without(fields: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {each: value for each, value in fields.items() if each not in keys}
