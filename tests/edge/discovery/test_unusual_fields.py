"""Fields that discovery tells from readings: senders, radios, times under unusual names, values that aren't decoded."""

from __future__ import annotations

from typing import Any

import pytest
from discovered import inputs, proposed


def test_two_words_that_alternate_are_read_neither_as_states_nor_as_senders_but_shown_as_either() -> None:
    rooms = [("hub", {"ort": ("Keller", "Dach")[n % 2], "temp": 20 + n % 3}) for n in range(16)]
    proposal, sensors = proposed(*rooms)
    assert proposal.inputs == [{"topic": "hub", "format": "json"}]
    assert sensors.keys() == {"hub/temp"}
    assert proposal.words == {
        "hub ort": "values = { Dach = 1, Keller = 2 } if they are states, "
        'or sensor = "{topic}/{payload.ort}/{field}" if they name senders'
    }
    many = [("hub", {"wer": f"Raum {n % 20}a", "temp": 20 + n % 3}) for n in range(50)]
    assert inputs(*many) == [{"topic": "hub", "format": "json", "sensor": "{topic}/{payload.wer}/{field}"}]


def test_coordinates_and_what_radios_measure_are_bookkeeping_in_any_spelling() -> None:
    radio = {"LrrRSSI": -80, "lora_snr_db": 7, "rssi_dbm": -60, "txPower": 14, "gw": {"LrrLAT": 45.85, "LrrLON": 1.27}}
    (found,) = inputs(*(("a", {"temp": 20, "lat": 52 + n, "lng": 13.4, **radio}) for n in range(3)))
    assert sorted(found["ignore"]) == sorted(
        ["LrrRSSI", "lora_snr_db", "rssi_dbm", "txPower", "lat", "lng", "**/LrrLAT", "**/LrrLON"]
    )
    where = {"type": "Point", "coordinates": [13.4, 52.5]}
    assert inputs(*(("a", {"temp": 20, "loc": where}) for _ in range(3)))[0]["ignore"] == ["**/coordinates"]
    for others in ({"lat": 52}, {"lat": 520, "lon": 13}, {"flat": 1, "lon": 2}, {"long": 3}):
        assert inputs(*(("a", {"temp": 20, **others}) for _ in range(3))) == [{"topic": "a", "format": "json"}]


@pytest.mark.parametrize(
    ("key", "text"), [("data", "0201061BFF9904"), ("frm_payload", "AQIDBA=="), ("payload", "AwQ="), ("raw", "03C904A1")]
)
@pytest.mark.parametrize("more", [{}, {"battery": 3.1}])
def test_readings_that_only_their_sender_can_decode_are_shown_as_unread(key: str, text: str, more: Any) -> None:
    proposal, _ = proposed(*(("a", {"rssi": -60 - n, "up": {key: text}, **more}) for n in range(3)))
    told = {f"a up/{key}": "bytes of the sender's own, which it or a converter has to decode"}
    assert proposal.unread == told
    assert bool(proposal.left_out) == (not more)
    proposal, _ = proposed(*(("a", {"mac": text, "data": word, **more}) for word in ("open", "12345678")))
    assert proposal.unread == {}


def test_hexadecimal_numbers_that_change_are_shown_as_unread() -> None:
    said = {"device": "0x5ADF", "fixed": "0x10", "temp": 20}
    proposal, _ = proposed(*(("a", {**said, "reg": hex(30 + n), "dev_id": hex(n)}) for n in range(3)))
    assert proposal.unread == {
        "a reg": "hexadecimal numbers, which no option reads: the sender has to send decimal ones"
    }


def of_times(key: str, *times: object) -> list[tuple[str, object]]:
    return [("a", {key: each, "temp": 20 + place}) for place, each in enumerate(times)]


@pytest.mark.parametrize("key", ["zeit", "Uhrzeit", "hora"])
def test_a_time_in_a_field_with_an_unusual_name_is_proposed_as_the_time(key: str) -> None:
    proposed_input = {"topic": "a", "format": "json", "time_keys": [key.lower()]}
    assert inputs(*of_times(key, *(f"2023-11-14T22:14:2{n}Z" for n in range(3)))) == [proposed_input]
    assert inputs(*of_times(key, *(1_700_000_060 + n for n in range(3)))) == [proposed_input]


@pytest.mark.parametrize(
    "times",
    [
        [f"2023-11-14T22:14:2{n}" for n in range(2)],
        [f"2023-11-15T00:14:2{n}" for n in range(3)],
        [f"2023-11-14T22:14:2{2 - n}" for n in range(3)],
        ["2023-11-14T22:14:20"] * 3,
        ["2023-11-14T22:14:20", "2023-11-14T22:14:21", "soon"],
        [20.5, 21.5, 22.5],
    ],
)
def test_other_fields_are_not(times: list[object]) -> None:
    """Too few, in another time zone, going back, always the same, no times, readings."""
    assert "time_keys" not in inputs(*of_times("zeit", *times))[0]
    usual = [("a", {"ts": 1_700_000_060 + n, "zeit": f"2023-11-14T22:14:2{n}", "temp": 20}) for n in range(3)]
    assert inputs(*usual) == [{"topic": "a", "format": "json"}]


def test_what_is_bookkeeping_on_one_topic_is_read_on_another_where_it_is_a_reading() -> None:
    proposal, sensors = proposed(
        *(("plant/radio", {"frequency": 868.1, "rssi": -60, "temp": 20 + n}) for n in range(3)),
        *(("plant/mains", {"frequency": 50 + n / 100, "power": 3}) for n in range(3)),
        *(("plant/tank", {"level": 3 + n, "rssi": -50}) for n in range(3)),
    )
    assert sensors.keys() == {"plant/radio/temp", "plant/mains/frequency", "plant/mains/power", "plant/tank/level"}
    assert proposal.inputs == [
        {"topic": "plant/mains", "format": "json"},
        {"topic": "plant/#", "format": "json", "ignore": ["frequency", "rssi"]},
    ]


def test_versions_and_numbers_of_parts_are_bookkeeping_whatever_precedes_them() -> None:
    parts = {"bootloaderversion": 104, "hwpartnumber": 269561858, "freq": "868M", "temp": 20, "conversion": 3}
    (found,) = inputs(*(("a", parts) for _ in range(3)))
    assert sorted(found["ignore"]) == ["bootloaderversion", "freq", "hwpartnumber"]


def test_the_number_of_a_sender_beside_its_name_is_no_reading() -> None:
    said = (("temp", "1", 20), ("flow", "2", 3), ("temp", "1", 21), ("flow", "2", 3), ("temp", "1", 22))
    (found,) = inputs(*(("m", {"name": name, "register": register, "data": value}) for name, register, value in said))
    assert found["ignore"] == ["register"]
    (found,) = inputs(*(("m", {"name": name, "register": n, "data": 1}) for n, (name, _, _) in enumerate(said)))
    assert "ignore" not in found


def test_a_topic_of_a_convention_that_has_no_value_at_present_is_not_ignored() -> None:
    proposal, _ = proposed(
        ("N/c06/battery/1/Soc", {"value": 80}), ("N/c06/battery/1/Temperature", {"value": None}),
        ("N/c06/battery/1/Name", {"value": "BMV"}),
    )  # fmt: skip
    (found,) = proposal.inputs
    assert found["convention"] == "victron"
    assert found["ignore_topics"][-1] == "N/c06/battery/1/Name"
    assert "N/c06/battery/1/Temperature" not in found["ignore_topics"]


def test_bookkeeping_in_a_list_of_devices_is_ignored_below_their_names() -> None:
    heard = [{"mac": f"AC233FA1B2C{n}", "rssi": -60 - n, "temp": 20 + n} for n in range(3)]
    proposal, sensors = proposed(*(("ble", [*heard, {"mac": f"4A00000000{n:02d}", "rssi": -80}]) for n in range(3)))
    assert proposal.inputs[0]["ignore"] == ["**/rssi"]
    assert sensors == {f"ble/AC233FA1B2C{n}/temp": 20.0 + n for n in range(3)}
