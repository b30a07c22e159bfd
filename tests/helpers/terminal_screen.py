"""A command in its own terminal, and the content of its screen, as far as `edgewarden top` needs it."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import Self

from running import ROOT, wait_until

SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class TerminalScreen:
    """Runs `edgewarden` with some arguments in a terminal.

    Args:
        folder: Where it runs.
        arguments: Its arguments.
        columns: Of the terminal.
        rows: Of the terminal.
        more: Variables of its environment.

    Attributes:
        written: Everything it has written so far.
    """

    def __init__(self, folder: Path, *arguments: str, columns: int = 80, rows: int = 24, **more: str) -> None:
        self._ours, theirs = pty.openpty()
        self.columns, self.rows, self.written = columns, rows, ""
        self._resize()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "PYTHONUTF8": "1", **more}
        for each in ("COLUMNS", "LINES", *(["NO_COLOR"] if "NO_COLOR" not in more else [])):
            environment.pop(each, None)
        command = [sys.executable, "-m", "edge", *arguments]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        self.before = termios.tcgetattr(self._ours)
        os.close(theirs)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may arrive in two pieces
        with contextlib.suppress(OSError):  # the command has ended
            while content := os.read(self._ours, 65_536):
                self.written += decoder.decode(content)

    def _resize(self) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def resize(self, columns: int, rows: int) -> None:
        """Resize the terminal, and notify the command."""
        self.columns, self.rows = columns, rows
        self._resize()
        self.process.send_signal(signal.SIGWINCH)

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def lines(self) -> list[str]:
        """The content of the screen, line by line."""
        shown = dict.fromkeys(range(self.rows), "")
        at, rest = 0, self.written
        while rest:
            found = SEQUENCE.match(rest)
            if found is None:
                text = rest[0] if rest[0] == "\x1b" else re.match(r"[^\x1b]+", rest)[0]  # type: ignore[index]
                shown[at] = shown.get(at, "") + text
                rest = rest[len(text) :]
                continue
            rest = rest[found.end() :]
            if found[2] == "H":
                at = int(found[1].split(";")[0]) - 1
            elif found[2] == "J":
                shown = dict.fromkeys(shown, "")
            elif found[2] == "K":
                shown[at] = ""
        return [shown.get(number, "") for number in range(self.rows)]

    def wait(self, text: str) -> str:
        """Wait until the screen shows a text; returns the line that contains it."""

        def found() -> str | None:
            return next((each for each in self.lines() if text in each), None)

        try:
            return str(wait_until(found, 60, what=repr(text)))
        except AssertionError:
            raise AssertionError("\n".join([repr(text), *self.lines()])) from None

    def close(self) -> None:
        """End the command, and close the terminal."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join(5)
        os.close(self._ours)

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()
