"""SenML, compared with the examples of RFC 8428."""

from __future__ import annotations

from typing import Any

import cbor2
import pytest
from senml_packs import as_cbor, as_json

from edge.core.intake.decoders import Decoded, SenmlCborDecoder, SenmlDecoder
from edge.core.model.readings.messages import Refusal, Refused, Sample

DEVICE = "urn:dev:ow:10e2073a01080063"


def read(pack: Any, **options: Any) -> Decoded:
    decoded = SenmlDecoder(**options).decode(pack if isinstance(pack, bytes) else as_json(pack))
    return Decoded(list(decoded.samples), decoded.refusals, decoded.relative_below)


def samples(pack: Any, **options: Any) -> list[tuple[str, float, float | None]]:
    decoded = read(pack, **options)
    assert decoded.refusals == []
    return [tuple(each) for each in decoded.samples]


def refused(pack: Any) -> Refusal:
    with pytest.raises(Refused) as caught:
        read(pack)
    return caught.value.refusal


# The examples of RFC 8428, chapters 5.1 and 6.


def test_a_single_data_point() -> None:
    assert samples([{"n": DEVICE, "u": "Cel", "v": 23.1}]) == [(DEVICE, 23.1, 0.0)]


def test_multiple_data_points() -> None:
    pack = [
        {"bn": f"{DEVICE}:", "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "u": "A", "v": 1.2},
    ]
    assert samples(pack) == [(f"{DEVICE}:voltage", 120.1, 0.0), (f"{DEVICE}:current", 1.2, 0.0)]


def test_history_of_a_sensor_with_base_time_and_version() -> None:
    pack: list[dict[str, Any]] = [
        {
            "bn": f"{DEVICE}:",
            "bt": 1.276020076001e09,
            "bu": "A",
            "bver": 5,
            "n": "voltage",
            "u": "V",
            "v": 120.1,
        },
        *({"n": "current", "t": -5 + each, "v": 1.2 + each / 10} for each in range(5)),
        {"n": "current", "v": 1.7},
    ]
    base = 1.276020076001e09
    read_back = samples(pack)
    assert [(name, time) for name, _, time in read_back] == [
        *((f"{DEVICE}:current", base - 5 + each) for each in range(5)),
        (f"{DEVICE}:voltage", base),
        (f"{DEVICE}:current", base),
    ]


def test_measurements_of_several_quantities_under_one_name_are_distinguished_by_their_unit() -> None:
    pack = [
        {"bn": DEVICE, "bt": 1.320067464e09, "bu": "%RH", "v": 20},
        {"u": "lon", "v": 24.30621},
        {"u": "lat", "v": 60.07965},
        {"t": 60, "v": 20.3},
        {"u": "lon", "t": 60, "v": 24.30622},
        {"u": "lat", "t": 60, "v": 60.07965},
        {"t": 120, "v": 20.7},
        {"u": "lon", "t": 120, "v": 24.30623},
        {"u": "lat", "t": 120, "v": 60.07966},
        {"u": "%EL", "t": 150, "v": 98},
        {"t": 180, "v": 21.2},
    ]
    by_path: dict[str, list[float]] = {}
    for path, value, _ in samples(pack):
        by_path.setdefault(path, []).append(value)
    assert by_path == {
        DEVICE: [20.0, 20.3, 20.7, 21.2],
        f"{DEVICE}/lon": [24.30621, 24.30622, 24.30623],
        f"{DEVICE}/lat": [60.07965, 60.07965, 60.07966],
        f"{DEVICE}/%EL": [98.0],
    }


def test_different_kinds_of_values() -> None:
    pack = [
        {"bn": f"{DEVICE}:", "n": "temp", "u": "Cel", "v": 23.1},
        {"n": "label", "vs": "Machine Room"},
        {"n": "open", "vb": False},
        {"n": "nfc-reader", "vd": "aGkgCg"},
    ]
    decoded = read(pack)
    assert decoded.samples == [Sample(f"{DEVICE}:temp", 23.1, 0.0)]
    assert decoded.refusals == [Refusal("not_a_number", f"{DEVICE}:{name}") for name in ("label", "open", "nfc-reader")]


def test_a_collection_of_resources() -> None:
    pack = [
        {"bn": "2001:db8::2/", "bt": 1.320078429e09, "n": "temperature", "u": "Cel", "v": 25.2},
        {"n": "humidity", "u": "%RH", "v": 30},
        {"bn": "2001:db8::1/", "n": "temperature", "u": "Cel", "v": 12.3},
        {"n": "humidity", "u": "%RH", "v": 67},
    ]
    assert [(path, value) for path, value, _ in samples(pack)] == [
        ("2001:db8::2/temperature", 25.2),
        ("2001:db8::2/humidity", 30.0),
        ("2001:db8::1/temperature", 12.3),
        ("2001:db8::1/humidity", 67.0),
    ]


def test_the_cbor_example_of_the_rfc_gives_the_same_as_its_json() -> None:
    # RFC 8428, chapter 6: the pack of the voltage and the current.
    payload = bytes.fromhex(
        "87 a7 21 78 1c 75726e3a6465763a6f773a31306532303733613031303830303633 3a"
        "22 fb 41d303a15b001062 23 61 41 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666"
        "a3 00 67 63757272656e74 06 24 02 fb 3ff3333333333333"
        "a3 00 67 63757272656e74 06 23 02 fb 3ff4cccccccccccd"
        "a3 00 67 63757272656e74 06 22 02 fb 3ff6666666666666"
        "a3 00 67 63757272656e74 06 21 02 f9 3e00"
        "a3 00 67 63757272656e74 06 20 02 fb 3ff999999999999a"
        "a3 00 67 63757272656e74 06 00 02 fb 3ffb333333333333".replace(" ", "")
    )
    base = 1.276020076001e09
    assert list(SenmlCborDecoder().decode(payload).samples) == [
        *(
            Sample(f"{DEVICE}:current", value, base + time)
            for time, value in zip(range(-5, 0), (1.2, 1.3, 1.4, 1.5, 1.6), strict=True)
        ),
        Sample(f"{DEVICE}:voltage", 120.1, base),
        Sample(f"{DEVICE}:current", 1.7, base),
    ]


# Resolution.


def test_base_fields_apply_until_they_change() -> None:
    pack = [
        {"bn": "a/", "bt": 1e9, "bv": 20, "n": "x", "v": 1},
        {"n": "y", "v": 2.5, "t": 5},
        {"bn": "b/", "bv": 0, "n": "x", "v": 3, "t": 6},
        {"bt": 1.1e9, "v": 4},
    ]
    assert samples(pack) == [("a/x", 21.0, 1e9), ("a/y", 22.5, 1e9 + 5), ("b/x", 3.0, 1e9 + 6), ("b", 4.0, 1.1e9)]


def test_a_record_may_contain_base_fields_only() -> None:
    assert samples([{"bn": "a/", "bt": 1e9}, {"n": "x", "v": 1}]) == [("a/x", 1.0, 1e9)]


def test_a_sum_is_a_separate_sensor() -> None:
    pack = [
        {"bn": "meter/", "bs": 100, "n": "power", "v": 5, "s": 20},
        {"n": "power", "t": 1, "v": 6},
        {"n": "e", "s": 1},
    ]
    assert sorted(samples(pack)) == [
        ("meter/e/sum", 101.0, 0.0),
        ("meter/power", 5.0, 0.0),
        ("meter/power", 6.0, 1.0),
        ("meter/power/sum", 100.0, 1.0),
        ("meter/power/sum", 120.0, 0.0),
    ]


def test_records_are_read_in_the_order_of_their_times() -> None:
    pack = [{"bn": "a", "bt": 1e9, "t": -each, "v": each} for each in range(6)]
    assert [value for _, value, _ in samples(pack)] == [5, 4, 3, 2, 1, 0]
    assert [value for _, value, _ in samples([*pack, {"vb": True, "t": -9}], values={"true": 9})] == [
        9,
        5,
        4,
        3,
        2,
        1,
        0,
    ]


def test_words_and_booleans_count_as_configured() -> None:
    pack = [{"n": "a", "vb": True}, {"n": "b", "vb": False}, {"n": "c", "vs": "OPEN"}]
    assert samples(pack, values={"true": 1, "false": 0, "OPEN": 2}) == [("a", 1, 0), ("b", 0, 0), ("c", 2, 0)]


@pytest.mark.parametrize(
    ("base", "name", "path"),
    [
        ("/3303/0/", "5700", "3303/0/5700"),
        ("plant/", None, "plant"),
        (None, "a", "a"),
        (None, None, ""),
        (f"{DEVICE}:", "voltage", f"{DEVICE}:voltage"),
        (DEVICE, "/voltage", f"{DEVICE}/voltage"),
    ],
)
def test_a_name_loses_only_the_slashes_around_it(base: str | None, name: str | None, path: str) -> None:
    record = {key: each for key, each in (("bn", base), ("n", name), ("v", 1)) if each is not None}
    assert samples([record]) == [(path, 1.0, 0.0)]
    assert samples([{**record, "s": 1}])[0] == (path, 1.0, 0.0)


def test_a_separate_unit_changes_no_name_that_is_already_distinct() -> None:
    assert samples([{"bn": "a/", "bu": "A", "n": "x", "u": "V", "v": 1}]) == [("a/x", 1.0, 0.0)]
    assert samples([{"bn": "a", "u": "V", "v": 1}]) == [("a", 1.0, 0.0)]
    assert samples([{"bn": "a", "bu": "V", "u": "V", "v": 1}]) == [("a", 1.0, 0.0)]


def test_times_below_two_to_the_28_are_relative() -> None:
    decoded = read([{"n": "a", "t": 2**28 - 1, "v": 1}, {"n": "a", "t": 2**28, "v": 2}])
    assert [each.time for each in decoded.after(1e9)] == [1e9 + 2**28 - 1, 2.0**28]
    assert not decoded.says_its_times()
    assert read([{"n": "a", "bt": 2**27, "t": 2**27, "v": 2}]).says_its_times()


# What can't be read.


@pytest.mark.parametrize(
    ("record", "refusal"),
    [
        ({"n": "b", "v": "21.5"}, Refusal("not_a_number", "b")),
        ({"n": "b", "v": True}, Refusal("not_a_number", "b")),
        ({"n": "b", "v": None}, Refusal("not_a_number", "b")),
        ({"n": "b", "v": 10**400}, Refusal("not_finite", "b")),
        ({"n": "b", "s": "x"}, Refusal("not_a_number", "b/sum")),
        ({"n": "b", "v": 1, "vb": True}, Refusal("malformed", "1", "more than one value")),
        ({"n": "b", "t": "now", "v": 1}, Refusal("bad_time", "1/t", "not a number of seconds")),
        ({"n": "b", "t": 1e400, "v": 1}, Refusal("bad_time", "1/t", "not a number of seconds")),
        ({"n": 5, "v": 1}, Refusal("bad_name", "1/n", "not a text")),
        ({"n": "b" * 201, "v": 1}, Refusal("bad_name", "1/n", "too long")),
        ({"n": "b"}, Refusal("no_value", "1")),
        ({}, Refusal("no_value", "1")),
        (7, Refusal("not_a_number", "1", "not a record")),
    ],
    ids=lambda each: str(each)[:30],
)
def test_an_unreadable_record_affects_only_itself(record: Any, refusal: Refusal) -> None:
    decoded = read([{"n": "a", "v": 1}, record, {"n": "c", "v": 3}])
    assert decoded.samples == [Sample("a", 1.0, 0.0), Sample("c", 3.0, 0.0)]
    assert decoded.refusals == [refusal]


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"bn": 5, "n": "b", "v": 1}, "1/bn"),
        ({"bt": "2026", "n": "b", "v": 1}, "1/bt"),
        ({"bt": 10**400, "n": "b", "v": 1}, "1/bt"),
        ({"bu": None, "n": "b", "v": 1}, "1/bu"),
        ({"bv": True, "n": "b", "v": 1}, "1/bv"),
        ({"bs": [], "n": "b", "v": 1}, "1/bs"),
        ({"bver": 11, "n": "b", "v": 1}, "1/bver"),
        ({"bver": "10", "n": "b", "v": 1}, "1/bver"),
        ({"n": "b", "v": 1, "must_": 5}, "1/must_"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_an_error_that_affects_all_later_records_refuses_the_pack(record: Any, path: str) -> None:
    refusal = refused([{"n": "a", "v": 1}, record])
    assert (refusal.reason, refusal.path) == ("malformed", path)


def test_two_versions_make_a_pack_invalid() -> None:
    assert refused([{"bver": 10, "n": "a", "v": 1}, {"bver": 9, "n": "a", "v": 1}]).path == "1/bver"


@pytest.mark.parametrize("version", [5, 10, 26])
def test_known_versions_are_read(version: int) -> None:
    assert samples([{"bver": version, "n": "a", "v": 1}]) == [("a", 1.0, 0.0)]


def test_unknown_fields_are_ignored() -> None:
    assert samples([{"n": "a", "v": 1, "ut": 60, "x": {"y": [1]}, "_z": None, "u": 5}]) == [("a", 1.0, 0.0)]


@pytest.mark.parametrize("payload", [b"[]", b'[{"bn":"a","bt":5}]'])
def test_a_pack_without_values_is_refused_with_a_reason(payload: bytes) -> None:
    assert refused(payload).reason == "no_value"


def test_other_json_and_other_formats_are_recognised() -> None:
    assert refused(b'{"temperature": 21.5}').detail == 'not SenML but JSON: format = "json"'
    assert refused(b"21.5").detail == 'not SenML but JSON: format = "json"'
    assert refused(b"Online").detail.startswith('not SenML but the text "Online"')
    assert refused(as_cbor([{"n": "a", "v": 1}])).detail.startswith("not SenML; looks like")
    assert refused(b'[{"n": "a", "v": ').detail.startswith("Input data was truncated")


def test_more_readings_than_allowed_refuse_the_pack() -> None:
    with pytest.raises(Refused) as caught:
        read([{"n": "a", "t": each, "v": 1} for each in range(4)], readings=3)
    assert caught.value.refusal.reason == "too_many_readings"
    assert len(read([{"n": "a", "t": each, "v": 1} for each in range(3)], readings=3).samples) == 3


# Streams.


@pytest.mark.parametrize(
    "payload",
    [
        b'[{"n":"a","v":1},{"n":"b","v":2}',
        b'[{"n":"a","v":1},\n{"n":"b","v":2},\n',
        b'{"n":"a","v":1},{"n":"b","v":2}',
        b',{"n":"a","v":1},{"n":"b","v":2}',
        b',{"n":"a","v":1},{"n":"b","v":2}]\n',
    ],
)
def test_a_part_of_a_stream_is_read_as_a_pack(payload: bytes) -> None:
    assert samples(payload) == [("a", 1.0, 0.0), ("b", 2.0, 0.0)]


def test_a_single_record_is_a_pack() -> None:
    assert samples(b'{"n":"a","v":1}') == [("a", 1.0, 0.0)]


def test_the_end_of_a_cbor_stream_may_be_missing() -> None:
    payload = b"\x9f" + cbor2.dumps({0: "a", 2: 1}) + cbor2.dumps({0: "b", 2: 2})
    for each in (payload, payload + b"\xff"):
        assert list(SenmlCborDecoder().decode(each).samples) == [Sample("a", 1.0, 0.0), Sample("b", 2.0, 0.0)]


@pytest.mark.parametrize("payload", [b'[{"n":"a","v":1},{"n":"b","v":', b'[{"n":"a","v":1},{"n"}', b"[{]}", b"}"])
def test_a_truncated_record_is_not_the_end_of_a_part(payload: bytes) -> None:
    assert refused(payload).reason == "malformed"
