from __future__ import annotations

import pytest

from edge.commands.screen.terminal import keys_in


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("q", ["q"]),
        ("\x1b[A\x1bOB", ["Up", "Down"]),
        ("\x1b", ["Escape"]),
        ("\x1b[5~x\r", ["PageUp", "x", "Enter"]),
        ("\x1b[200~ä\x7f", ["ä", "Backspace"]),
        ("\x1b[1;5C", []),
    ],
)
def test_keys_are_read_and_unknown_sequences_are_skipped(text: str, keys: list[str]) -> None:
    assert keys_in(text) == keys
