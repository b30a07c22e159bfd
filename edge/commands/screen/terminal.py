"""Terminal: a full-screen display with raw keys, which writes only changed lines.

It uses plain ECMA-48 and xterm control sequences, which modern terminals support; `usable()` detects exceptions.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, Self, TextIO

Line = Sequence[tuple[str, str]]

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""Alternate screen, hidden cursor, no line wrapping."""

LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
COLOURS = {"INFO": "34", "WARN": "33", "ERROR": "31", "FATAL": "35", "bad": "31", "good": "32"}
WEIGHTS = {"bold": "1", "dim": "2", "ERROR": "1", "FATAL": "1", "bad": "1", "WARN": "1"}
KEYS = {
    "\r": "Enter",
    "\n": "Enter",
    "\x7f": "Backspace",
    "\x08": "Backspace",
    "\x15": "Clear",
    **{
        f"\x1b{intro}{end}": name
        for intro in "[O"
        for end, name in zip("ABCDHF", ["Up", "Down", "Right", "Left", "Home", "End"], strict=True)
    },
    "\x1b[5~": "PageUp",
    "\x1b[6~": "PageDown",
    "\x1b[1~": "Home",
    "\x1b[4~": "End",
    "\x1b": "Escape",
}
READ_BYTES = 4096


def usable(environment: Mapping[str, str]) -> bool:
    """Whether this process has a terminal whose cursor can be moved."""
    return sys.stdin.isatty() and sys.stdout.isatty() and environment.get("TERM", "dumb") not in {"", "dumb", "unknown"}


def keys_in(text: str) -> list[str]:
    """The pressed keys: characters, and names of others; unknown sequences are ignored."""
    found: list[str] = []
    while text:
        if text[0] == "\x1b" and len(text) > 1 and text[1] in "[O":
            end = next((at for at in range(2, len(text)) if "@" <= text[at] <= "~"), len(text) - 1)
            sequence, text = text[: end + 1], text[end + 1 :]
            found += [KEYS[sequence]] if sequence in KEYS else []
        else:
            found += [KEYS.get(text[0], text[0])]
            text = text[1:]
    return found


class TerminalWindow:
    """A terminal controlled from `with` to its end, however that ends.

    Args:
        out: Output stream.
        colours: Whether colours may be used.
    """

    def __init__(self, out: TextIO, *, colours: bool) -> None:
        self._out, self._colours = out, colours
        self._shown: list[str] = []
        self._waking = os.pipe()
        os.set_blocking(self._waking[1], False)
        self._before: dict[int, Any] = {}
        self._mode: list[Any] = []

    def __enter__(self) -> Self:
        """Take over the terminal."""
        for each in (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
            self._before[each] = signal.getsignal(each)
        self._mode = termios.tcgetattr(sys.stdin)
        signal.signal(signal.SIGWINCH, self._resized)
        signal.signal(signal.SIGTSTP, self._stopped)
        for each in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, _ended)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the terminal."""
        self._give_back()
        for each, before in self._before.items():
            signal.signal(each, before)
        for each in self._waking:
            os.close(each)

    def _take(self) -> None:
        tty.setcbreak(sys.stdin)
        self._write(ENTER)
        self._shown = []

    def _give_back(self) -> None:
        self._write(LEAVE)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._mode)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        found = shutil.get_terminal_size()
        return found.columns, found.lines

    def draw(self, lines: Sequence[Line]) -> None:
        """Show lines; unchanged ones aren't written again."""
        texts = [self._styled(each) for each in lines]
        if len(texts) != len(self._shown):
            self._write("\x1b[2J")
            self._shown = [""] * len(texts)
        changed = [at for at, text in enumerate(texts) if text != self._shown[at]]
        self._write("".join(f"\x1b[{at + 1};1H\x1b[0m\x1b[K{texts[at]}" for at in changed))
        self._shown = texts

    def wait(self, seconds: float) -> list[str]:
        """The keys pressed within `seconds`; none if the size has changed or `wake()` was called."""
        ready, _, _ = select.select([sys.stdin, self._waking[0]], [], [], max(0.0, seconds))
        if self._waking[0] in ready:
            os.read(self._waking[0], READ_BYTES)
        if sys.stdin not in ready:
            return []
        content = os.read(sys.stdin.fileno(), READ_BYTES)
        if not content:  # the terminal is gone
            raise SystemExit(0)
        return keys_in(content.decode("utf-8", "ignore"))

    def wake(self) -> None:
        """Make `wait()` return; thread-safe."""
        try:
            os.write(self._waking[1], b"w")
        except OSError:  # it is full of the same, or closed
            return

    def _styled(self, line: Line) -> str:
        found = []
        for text, style in line:
            codes = [WEIGHTS[style]] if style in WEIGHTS else []
            codes += [COLOURS[style]] if self._colours and style in COLOURS else []
            found.append(f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and text else text)
        return "".join(found)

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "ascii"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()

    def _resized(self, _number: int, _frame: FrameType | None) -> None:
        self._shown = []
        self.wake()

    def _stopped(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: give the terminal back to the shell until the program continues."""
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._stopped)
        self._take()
        self.wake()


def _ended(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
