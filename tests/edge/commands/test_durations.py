from __future__ import annotations

import pytest

from edge.commands.support.printing.durations import size


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1034000, "1010 KiB"),
        (2**20 - 1, "1024 KiB"),
        (3_575_000, "3.41 MiB"),
        (256 * 2**20, "256 MiB"),
        (2**31, "2 GiB"),
    ],
)
def test_a_size_has_three_digits_or_all_digits_before_the_point(count: int, said: str) -> None:
    assert size(count) == said
