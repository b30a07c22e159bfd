from __future__ import annotations

import io
import logging

import pytest

from edge.shell.system.logs import LONGEST_LINE, KeyValueFormatter, LogHandler


def line(message: str, *values: object) -> str:
    return KeyValueFormatter().format(logging.LogRecord("edgewarden.x", logging.INFO, "", 0, message, values, None))


def test_a_line_shows_hidden_characters_as_escapes_and_stays_one_line() -> None:
    shown = line("refused topic=%s", "a\nb\x1b[31m\u202ec")
    assert shown.endswith(" info edgewarden.x refused topic=a\\x0ab\\x1b[31m\\u202ec")


def test_a_line_is_bounded_in_length() -> None:
    shown = line("x%s", "y" * 100_000)
    assert len(shown) < LONGEST_LINE + 100
    assert shown.endswith("y…")


def test_a_traceback_shows_hidden_characters_as_escapes() -> None:
    error = ValueError("a\u202eb\x1b[31m")
    record = logging.LogRecord("edgewarden.x", logging.ERROR, "", 0, "failed", (), (ValueError, error, None))
    shown = KeyValueFormatter().format(record)
    assert shown.splitlines()[-1] == "ValueError: a\\u202eb\\x1b[31m"


class ClosedTerminal(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_line_that_can_no_longer_be_written_affects_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    handler = LogHandler(ClosedTerminal())
    handler.handle(logging.makeLogRecord({"msg": "started"}))
    assert capsys.readouterr().err == ""


def test_a_line_with_an_invalid_format_is_logged_as_an_internal_error(capsys: pytest.CaptureFixture[str]) -> None:
    LogHandler(io.StringIO()).handle(logging.makeLogRecord({"msg": "%d", "args": ("text",)}))
    assert "TypeError" in capsys.readouterr().err
