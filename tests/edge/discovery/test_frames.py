"""LoRaWAN frames: only what the network server has decoded is read."""

from __future__ import annotations

from typing import Any

import pytest
from discovered import inputs, proposed

RADIO = {"dr": 5, "adr": True, "frequency": 868.1, "gws": [{"rssi": -60, "snr": 7, "ant": 0}], "toa": 61}


def frames(decoded: Any, **more: Any) -> list[tuple[str, Any]]:
    return [
        ("up", {"fCnt": 7 + n, "fPort": 2, "data": "0a1b2c", "object": {**decoded, "temp": 20 + n}, **RADIO, **more})
        for n in range(3)
    ]


@pytest.mark.parametrize("within", ["", "DevEUI_uplink"])
def test_what_a_network_server_has_decoded_is_all_that_is_read(within: str) -> None:
    sent = [(topic, {within: fields} if within else fields) for topic, fields in frames({"hum": "45.1"})]
    proposal, sensors = proposed(*sent)
    path = f"{within}.object".strip(".")
    assert proposal.inputs == [{"topic": "up", "format": "json", "items": path}]
    assert sensors == {"up/hum": 45.1, "up/temp": 22.0}


def test_several_devices_and_their_bookkeeping_are_told_as_without_a_frame() -> None:
    sent = frames({"rssi": -60, "battery": 99})
    for n, (_, fields) in enumerate(sent * 2):
        fields["devEUI"] = f"70B3D57ED00500{n % 2}1"
    (found,) = inputs(
        *[(topic, {**fields, "devEUI": f"70B3D57ED00500{n % 2}1"}) for n, (topic, fields) in enumerate(sent * 2)]
    )
    assert found == {
        "topic": "up",
        "format": "json",
        "sensor": "{topic}/{payload.devEUI}/{field}",
        "items": "object",
        "ignore": ["rssi"],
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"port": 2, "data": "0a1b2c", "object": {"temp": 20}},
        {"fCnt": 7, "fPort": 2, "object": {"temp": 20}},
        {"fCnt": 7, "fPort": 2, "data": "0a1b2c", "a": {"temp": 20}, "b": {"temp": 21}},
        {"fCnt": 7, "fPort": 2, "data": "0a1b2c", "radio": {"rssi": -60}, "level": 5},
    ],
)
def test_what_is_no_frame_or_has_nothing_decoded_is_read_as_it_is(fields: dict[str, Any]) -> None:
    assert "items" not in inputs(*(("up", fields) for _ in range(3)))[0]
