"""Common parts of the configuration's tables: strictness, files, and errors that name their key."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo
from pydantic_core import PydanticCustomError

from config.problems import KeyPath
from config.store_file import store_problem

_LONGEST_SHOWN = 60


class Table(BaseModel):
    """A table of the configuration: it can't be changed, and knows its keys and their types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, serialize_by_alias=True)


class FieldFault(NamedTuple):
    """An error below a validated value: the key's path relative to it, and the message."""

    path: KeyPath
    message: str


def refuse(message: str) -> PydanticCustomError:
    """The error raised by a validator about its own value."""
    return PydanticCustomError("refused", "{message}", {"message": message})


def refuse_all(faults: Sequence[FieldFault]) -> PydanticCustomError:
    """The error raised by a validator about several keys below its value."""
    message = "; ".join(each.message for each in faults)
    return PydanticCustomError("faults", "{message}", {"message": message, "faults": tuple(faults)})


def checked(problem_of: Callable[[str], str | None]) -> AfterValidator:
    """Create a validator of texts from a function that returns the problem with a text."""

    def check(text: str) -> str:
        problem = problem_of(text)
        if problem:
            raise refuse(f'{problem}, is "{text}"' if text and len(text) <= _LONGEST_SHOWN else problem)
        return text

    return AfterValidator(check)


def _located(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    if not value or "\0" in value:
        raise refuse("must be the path of a file")
    return Path((info.context or {}).get("folder", ".")) / value


def _readable(path: Path, info: ValidationInfo) -> Path:
    if info.context is not None:
        if os.access(path, os.R_OK) and path.is_file():
            return path
        if os.access(path.parent, os.X_OK) and not path.is_file():
            raise refuse(f"there is no file {path}")
        raise refuse(f"the file {path} can't be read by this user; give it to the user that runs the service (chown)")
    return path


def _followed(path: Path, info: ValidationInfo) -> Path:
    if info.context is not None and path.is_symlink():
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise refuse(f"{path} is a symbolic link that leads to itself")
        return target
    return path


def _in_a_folder(path: Path, info: ValidationInfo) -> Path:
    if info.context is not None:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir() raises where a folder above can't be looked into
            raise refuse(f"{path} is a folder; give the name of a file")
        if not os.path.isdir(path.parent):  # noqa: PTH112
            raise refuse(f"there is no folder {path.parent}, or this user can't look into it; make it first")
    return path


def _usable_as_store(path: Path, info: ValidationInfo) -> Path:
    if info.context is not None and path != info.context.get("open_store"):
        problem = store_problem(path)
        if problem:
            raise refuse(problem)
    return path


ReadableFile = Annotated[Path, BeforeValidator(_located), AfterValidator(_readable)]
"""A file that must exist. It is resolved relative to the context's `folder`."""

WritableFile = Annotated[Path, BeforeValidator(_located), AfterValidator(_in_a_folder)]
"""A file that may be created, in a directory that must exist."""

StoreFile = Annotated[
    Path,
    BeforeValidator(_located),
    AfterValidator(_followed),
    AfterValidator(_in_a_folder),
    AfterValidator(_usable_as_store),
]
"""The store's file: missing, or a store, but not another program's file.

A symbolic link is resolved to its target: the log, the lock and the replacement of a damaged store are next to that
file, whichever name is used.

The file isn't examined if it is the context's `open_store`: closing a file that SQLite has open in the same process
drops SQLite's locks on it (fcntl(2)).
"""
