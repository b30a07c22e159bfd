"""Common parts of the tables: what a table is, checks of its fields, and errors that name their key."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar, dataclass_transform

from msgspec import Struct, field, structs, to_builtins

from config.problems import KeyPath
from config.store_file import store_problem

_LONGEST_SHOWN = 60


class FieldFault(NamedTuple):
    """An error below a value: the key's path relative to it, and the message."""

    path: KeyPath
    message: str


class InvalidValueError(Exception):
    """A value is invalid.

    Attributes:
        faults: All errors, with paths relative to the value.
    """

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        super().__init__("; ".join(each.message for each in faults))
        self.faults = tuple(faults)

    def below(self, key: str | int) -> list[FieldFault]:
        """The errors as those of the table or list that has the value under a key."""
        return [FieldFault((key, *each.path), each.message) for each in self.faults]


def refuse(message: str) -> InvalidValueError:
    """The error raised by a check about its own value."""
    return InvalidValueError([FieldFault((), message)])


class Files(NamedTuple):
    """The files around a configuration.

    Attributes:
        folder: Directory for relative paths.
        open_store: A store that this process has open, and which must therefore not be examined.
    """

    folder: Path
    open_store: Path | None = None


class FieldPlace(NamedTuple):
    """Where a value is, for its checks.

    Attributes:
        key: Its key.
        earlier: The valid fields before it in the same table, by name.
        files: The files around the configuration; None if files aren't examined.
    """

    key: str
    earlier: Mapping[str, Any]
    files: Files | None


Check = Callable[[Any, FieldPlace], Any]
"""Returns the value to use instead of a given one, or raises `InvalidValueError`."""

AnyCheck = TypeVar("AnyCheck", bound=Callable[..., Any])


class Checked(NamedTuple):
    """Stands in an `Annotated` type: its values pass this check."""

    check: Check


class Checks(NamedTuple):
    """Which fields a table's function checks, and when.

    Attributes:
        names: Names of the fields.
        first: Whether the value is checked as it was given, before its type is.
        absent: Whether the default is checked too.
    """

    names: tuple[str, ...]
    first: bool = False
    absent: bool = False


def checks(*names: str, first: bool = False, absent: bool = False) -> Callable[[AnyCheck], AnyCheck]:
    """Mark a static method of a table as a check of some fields; see `Checks`."""

    def marked(check: AnyCheck) -> AnyCheck:
        check.checks = Checks(names, first, absent)  # type: ignore[attr-defined]
        return check

    return marked


def checked(problem_of: Callable[[str], str | None]) -> Checked:
    """Create a check of texts from a function that returns the problem with a text."""

    def check(text: str, _: FieldPlace) -> str:
        problem = problem_of(text)
        if problem:
            raise refuse(f'{problem}, is "{text}"' if text and len(text) <= _LONGEST_SHOWN else problem)
        return text

    return Checked(check)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A table of the configuration: it can't be changed, and knows its keys and their types."""

    holds: ClassVar[str] = "key"
    """What its keys are called."""

    @classmethod
    def completed(cls, keys: Mapping[str, Any]) -> Mapping[str, Any]:
        """The keys to read for those that are given, or `InvalidValueError`."""
        return keys

    def verify(self) -> None:
        """Check the table as a whole, once each of its fields is valid; raises `InvalidValueError`."""

    @property
    def given(self) -> frozenset[str]:
        """Names of the fields that were given; the others have their default."""
        given: frozenset[str] = self.__dict__.get("_given", frozenset())
        return given

    @classmethod
    def made(cls, fields: Mapping[str, Any], given: frozenset[str]) -> Self:
        """The table with these fields, of which some were given."""
        table = cls(**fields)
        table.__dict__["_given"] = given  # beside the fields, as it isn't part of what makes tables equal
        return table

    def replaced(self, **changes: Any) -> Self:
        """The same table with some fields changed."""
        return type(self).made({**structs.asdict(self), **changes}, self.given | changes.keys())

    def plain(self, *, only_given: bool = False) -> dict[str, Any]:
        """The fields as plain values by key, as in JSON."""
        keys = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        return {
            key: _plain(getattr(self, name), only_given=only_given)
            for name, key in keys
            if not only_given or name in self.given
        }


def _plain(value: object, *, only_given: bool) -> Any:
    if isinstance(value, Table):
        return value.plain(only_given=only_given)
    if isinstance(value, tuple):
        return [_plain(each, only_given=only_given) for each in value]
    return to_builtins(value, enc_hook=str)  # paths


def _readable(path: Path, place: FieldPlace) -> Path:
    if place.files is not None:
        if os.access(path, os.R_OK) and path.is_file():
            return path
        if os.access(path.parent, os.X_OK) and not path.is_file():
            raise refuse(f"there is no file {path}")
        raise refuse(f"the file {path} can't be read by this user; give it to the user that runs the service (chown)")
    return path


def _followed(path: Path, place: FieldPlace) -> Path:
    if place.files is not None and path.is_symlink():
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise refuse(f"{path} is a symbolic link that leads to itself")
        return target
    return path


def _in_a_folder(path: Path, place: FieldPlace) -> Path:
    if place.files is not None:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises where a folder above can't be looked into
            raise refuse(f"{path} is a folder; give the name of a file")
        if not os.path.isdir(path.parent):  # noqa: PTH112
            raise refuse(f"there is no folder {path.parent}, or this user can't look into it; make it first")
    return path


def _usable_as_store(path: Path, place: FieldPlace) -> Path:
    if place.files is not None and path != place.files.open_store:
        problem = store_problem(path)
        if problem:
            raise refuse(problem)
    return path


ReadableFile = Annotated[Path, Checked(_readable)]
"""A file that must exist."""

StoreFile = Annotated[Path, Checked(_followed), Checked(_in_a_folder), Checked(_usable_as_store)]
"""The store's file: missing, or a store, but not another program's file.

A symbolic link is resolved to its target: the log, the lock and the replacement of a damaged store are next to that
file, whichever name is used.

The file isn't examined if this process has it open as its store: closing a file that SQLite has open in the same
process drops SQLite's locks on it (fcntl(2)).
"""
