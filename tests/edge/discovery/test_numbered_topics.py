"""A level of topics that numbers messages isn't part of the names of sensors."""

from __future__ import annotations

import pytest
from discovered import inputs, proposed


def test_a_number_that_grows_from_message_to_message_names_no_sensor() -> None:
    sent = [(f"dev/pump{n % 2}/reply/{1000 + 7 * n}", {"temp": 20 + n}) for n in range(20)]
    proposal, sensors = proposed(*sent, ("dev/pump1/level", "3"))
    assert proposal.inputs == [
        {"topic": f"dev/pump{n}/reply/+", "format": "json", "sensor": f"dev/pump{n}/reply/{{field}}"} for n in range(2)
    ] + [{"topic": "dev/pump1/level", "format": "number"}]
    assert sensors == {"dev/pump0/reply/temp": 38.0, "dev/pump1/reply/temp": 39.0, "dev/pump1/level": 3.0}


def test_plain_numbers_below_a_time_are_named_by_the_other_levels() -> None:
    sent = [(f"log/{1_700_000_060 + n}/temp", str(20 + n)) for n in range(8)]
    assert proposed(*sent)[1] == {"log/temp": 27.0}


@pytest.mark.parametrize(
    "numbers",
    [
        [*range(1000, 1007)],  # too few
        [*range(1, 20)],  # sensors are numbered so
        [*range(1000, 1020), 1000],  # one is heard again
        [1001, 1000, *range(1002, 1020)],  # in another order
    ],
)
def test_sensors_that_have_numbers_keep_them(numbers: list[int]) -> None:
    found = inputs(*((f"reg/{each}/v", {"temp": 20}) for each in numbers))
    assert all("sensor" not in each for each in found)
