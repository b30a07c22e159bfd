"""Line numbers of the keys in a TOML document, which the standard library's parser doesn't provide.

The scanner implements as much of TOML 1.0 as it needs to find keys: tables, arrays of tables, dotted and quoted keys,
arrays, inline tables, and the four kinds of strings. It doesn't validate: `tomllib` has accepted the text.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from config.problems import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


class LineIndex:
    """Line numbers of a TOML document's keys.

    Args:
        source: A document that `tomllib` accepts.
    """

    def __init__(self, source: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._source = source
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._tables: dict[KeyPath, int] = {}
        self._at = 0
        self._scan()

    def line_of(self, path: KeyPath) -> int:
        """The line of a key, from 1; for a missing key, the line of the nearest enclosing table."""
        for length in range(len(path), 0, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return line
        return 1

    def _scan(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._source):
            line = self._line()
            if self._take("[["):
                table = self._array_of_tables(self._keys())
                self._take("]]")
                self._note(table, line)
            elif self._take("["):
                table = self._resolve(self._keys())
                self._take("]")
                self._note(table, line)
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _array_of_tables(self, keys: KeyPath) -> KeyPath:
        path = (*self._resolve(keys[:-1]), keys[-1])
        index = self._tables.get(path, 0)
        self._tables[path] = index + 1
        return (*path, index)

    def _resolve(self, keys: KeyPath) -> KeyPath:
        """A header's keys as a path; within an array of tables, the latest table is meant."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = (*table, *self._keys())
        self._take("=")
        self._note(path, line, below=len(table))
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        first = self._source[self._at : self._at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        elif first in {'"', "'"}:
            self._skip(_STRING)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            self._note((*path, index), self._line())
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip(_BLANK)
        while not self._take("}"):
            self._pair(path)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _keys(self) -> KeyPath:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            begin = self._at
            if self._source[begin] in {'"', "'"}:
                self._skip(_STRING)
                keys.append(tomllib.loads(f"key = {self._source[begin : self._at]}")["key"])
            else:
                self._skip(_BARE)
                keys.append(self._source[begin : self._at])
            self._skip(_SPACE)
            if not self._take("."):
                return tuple(keys)

    def _note(self, path: KeyPath, line: int, below: int = 0) -> None:
        for length in range(below + 1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def _line(self) -> int:
        return bisect_right(self._starts, self._at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._source, self._at)
        if match:
            self._at = match.end()

    def _take(self, text: str) -> bool:
        if self._source.startswith(text, self._at):
            self._at += len(text)
            return True
        return False
