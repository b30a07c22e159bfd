"""InfluxDB line protocol, compared with examples and with a slow, independent parser."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.decoders import Decoded, InfluxDecoder
from edge.core.model.readings.messages import Refusal, Refused, Row, Sample

STAMP = "1700000000000000000"
AT = 1_700_000_000.0


def read(text: str, **options: Any) -> Decoded:
    decoded = InfluxDecoder(**options).decode(text.encode())
    return Decoded(list(decoded.samples), decoded.refusals)


def samples(text: str, **options: Any) -> list[tuple[str, float, float | None]]:
    decoded = read(text, **options)
    assert decoded.refusals == []
    return [tuple(each) for each in decoded.samples]


def refused(payload: bytes) -> Refusal:
    with pytest.raises(Refused) as caught:
        InfluxDecoder().decode(payload)
    return caught.value.refusal


def test_a_line_of_telegraf_gives_a_sensor_for_each_field() -> None:
    assert samples(f"cpu,cpu=cpu0,host=gw usage_idle=98.2,usage_user=1.1 {STAMP}\n") == [
        ("cpu/cpu0/gw/usage_idle", 98.2, AT),
        ("cpu/cpu0/gw/usage_user", 1.1, AT),
    ]


def test_tags_are_sorted_by_key_in_any_order() -> None:
    assert samples("m,b=2,a=1 f=1") == samples("m,a=1,b=2 f=1") == [("m/1/2/f", 1.0, None)]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1", 1.0),
        ("-1.5", -1.5),
        ("+1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        ("7i", 7.0),
        ("-7i", -7.0),
        ("7u", 7.0),
        ("18446744073709551615u", 2.0**64),
        ("9223372036854775807i", 2.0**63),
    ],
)
def test_every_notation_of_a_number(value: str, number: float) -> None:
    decoder = InfluxDecoder()
    for _ in range(2):
        assert list(decoder.decode(f"m f={value}".encode()).samples) == [Sample("m/f", number, None)]


@pytest.mark.parametrize(
    "value", ["1_0", "0x1F", "1,5", "1.5i", "-7u", "1ii", "--1", "٣", "yes", "tRUE", "i", "", "1e", "1 2 3"]
)
def test_an_invalid_value_affects_only_its_line(value: str) -> None:
    decoder = InfluxDecoder()
    payload = f"m f=1i,g=5u\nm f={value},g=1u\nm f=2i,g=6u".encode()
    for _ in range(2):
        decoded = decoder.decode(payload)
        assert [each.value for each in decoded.samples] == [1.0, 5.0, 2.0, 6.0]
        assert [(each.reason in {"malformed", "bad_time"}, each.path) for each in decoded.refusals] == [(True, "2")]


@pytest.mark.parametrize("value", ["NaN", "inf", "-Infinity", "1e999", "9" * 400 + "i"])
def test_numbers_that_are_not_finite_are_refused_individually(value: str) -> None:
    decoder = InfluxDecoder()
    decoder.decode(b"m f=1,g=2")
    decoded = decoder.decode(f"m f={value},g=2".encode())
    assert (list(decoded.samples), decoded.refusals) == ([Sample("m/g", 2.0, None)], [Refusal("not_finite", "m/f")])


def test_strings_and_booleans_are_refused_individually_unless_they_are_mapped() -> None:
    line = 'm a=1,b="on",c=t,d=FALSE,e="x"'
    decoded = read(line)
    assert decoded.samples == [Sample("m/a", 1.0, None)]
    assert decoded.refusals == [Refusal("not_a_number", f"m/{each}") for each in "bcde"]
    mapped = read(line, values={"on": 7, "true": 1, "false": 0})
    assert [each.value for each in mapped.samples] == [1.0, 7.0, 1.0, 0.0]
    assert mapped.refusals == [Refusal("not_a_number", "m/e")]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (r"a\,b\ c=d,t=x f=1", "a,b c=d/x/f"),
        (r"m,t\ 1=a\,b\=c\ d f=1", "m/a,b=c d/f"),
        (r"m f\=\,\ g=1", "m/f=, g"),
        (r"m\x,t=C:\dir f=1", r"m\x/C:\dir/f"),
        ("disk,path=/var/log used=1", "disk/:var:log/used"),
        ("disk,path=/ used=1", "disk/:/used"),
        ('m"x,t=a"b f"=1', 'm"x/a"b/f"'),
        ("mß,ort=Küche °C=1", "mß/Küche/°C"),
        ("  m   f=1   ", "m/f"),
        ("m f=1\r", "m/f"),
    ],
)
def test_names_with_escapes_slashes_and_quotation_marks(line: str, path: str) -> None:
    assert samples(line) == [(path, 1.0, None)]


def test_strings_may_contain_anything_including_newlines_and_quotation_marks() -> None:
    text = f'm s="a, b=c\nd \\"e\\" \\\\",v=1 {STAMP}\nm s="",v=2 {STAMP}\n'
    decoded = read(text, values={'a, b=c\nd "e" \\': 5.0, "": 6.0})
    assert [each.value for each in decoded.samples] == [5.0, 1.0, 6.0, 2.0]
    assert decoded.refusals == []


def test_comments_and_empty_lines_are_skipped_and_counted() -> None:
    decoded = read('# head\n\n  \nm s="a\nb",v=1\n#\nbad\n')
    assert [each.value for each in decoded.samples] == [1.0]
    assert [each.path for each in decoded.refusals] == ["m/s", "7"]


@pytest.mark.parametrize(
    ("precision", "stamp"), [("ns", STAMP), ("us", STAMP[:-3]), ("ms", STAMP[:-6]), ("s", STAMP[:-9])]
)
def test_the_precision_is_the_unit_of_timestamps(precision: str, stamp: str) -> None:
    assert samples(f"m f=1 {stamp}\nm f=1 {stamp}", precision=precision) == [("m/f", 1.0, AT)] * 2
    assert samples(f"m f=1 -{stamp}", precision=precision) == [("m/f", 1.0, -AT)]


def test_lines_without_a_timestamp_get_the_time_of_arrival() -> None:
    assert samples(f"m f=1 {STAMP}\nm f=2") == [("m/f", 1.0, AT), ("m/f", 2.0, None)]


def test_lines_are_read_in_the_order_of_their_times() -> None:
    assert [value for _, value, _ in samples("m f=3 3\nm f=1 1\nm f=2 2\nm f=4 3")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("m", "malformed"),
        ("m,t=a", "malformed"),
        ("m,t f=1", "malformed"),
        ("m,t= f=1", "malformed"),
        ("m,=a f=1", "malformed"),
        ("m,t=a=b f=1", "malformed"),
        (",t=a f=1", "malformed"),
        ("m f", "malformed"),
        ("m f=", "malformed"),
        ("m =1", "malformed"),
        ("m f=1,", "malformed"),
        ("m f=1,,g=2", "malformed"),
        ("m f=1=2", "malformed"),
        ('m f="a', "malformed"),
        ('m f="a"b', "malformed"),
        ('m f=a"b"', "malformed"),
        ("m f=1 now", "bad_time"),
        ("m f=1 1.5", "bad_time"),
        ("m f=1 12 13", "bad_time"),
        ("m f=1 " + "9" * 21, "bad_time"),
    ],
)
def test_an_unreadable_line_affects_only_itself(line: str, reason: str) -> None:
    decoder = InfluxDecoder()
    for _ in range(2):
        decoded = decoder.decode(f"m f=1\n{line}\nm f=2\nn g=3 5".encode())
        assert [each.value for each in decoded.samples] == [1.0, 2.0, 3.0]
        assert [(each.reason, each.path) for each in decoded.refusals] == [(reason, "2")]


def test_a_field_with_a_name_that_is_too_long_affects_only_itself() -> None:
    decoded = read(f"m {'k' * 300}=1,v=2")
    assert decoded.samples == [Sample("m/v", 2.0, None)]
    assert [(each.reason, len(each.path)) for each in decoded.refusals] == [("bad_name", 200)]


def test_payloads_of_other_formats_are_recognised() -> None:
    assert refused(b'{"a": 1}').detail == 'not line protocol but JSON: format = "json"'
    assert refused(b"21.5").detail == 'not line protocol but a plain number: format = "number"'
    assert refused(b"\x1f\x8b\x08").detail == "not line protocol; looks like gzip"
    assert refused(b"weather temperature") == Refusal(
        "malformed", "1", "a field without a value, or a string that doesn't end"
    )
    assert refused(b"# nothing\n").reason == "no_value"


def test_more_readings_than_allowed_refuse_the_payload() -> None:
    assert len(read("m f=1,g=2\nm f=1", readings=3).samples) == 3
    with pytest.raises(Refused, match="too_many_readings"):
        read("m f=1,g=2\nm f=1,g=2", readings=3)


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("  m f=1", " f=2"),
        ("m f=1,2=3", "m f=1=2,3"),
        ("m f=1i", "m f=i"),
        ("m f=1u", "m f=-1u"),
        ("m a_b=1", "m a_b=1_0"),
        ('m f=1,s="x"', 'm f=1,s="x'),
        ('m f=1,s="x"', 'm f=1,s="x"y"'),
        ('m f=1,s="x"', "m f=1,s=x"),
        ('m f=1,s="x"', 'm f="1",s="x'),
        ("m f=1 5", "m f=1 5 6"),
        ("m f=1,b=t", "m f=1,b=tr"),
        ("m f=1", "m f=1\t"),
        ("m,t=a f=1", "m,t f=1"),
    ],
)
def test_a_line_that_is_wrong_is_wrong_after_a_similar_one_too(before: str, then: str) -> None:
    decoder = InfluxDecoder()
    first, fresh = decoder.decode(before.encode()), InfluxDecoder()
    assert len(first.samples) > 0
    for each in (decoder, fresh):
        decoded = each.decode(f"m g=1\n{then}".encode())
        assert [sample.path for sample in decoded.samples] == ["m/g"]
        assert decoded.refusals[-1].path == "2"


def test_strings_and_booleans_are_refused_individually_in_lines_like_earlier_ones() -> None:
    decoder = InfluxDecoder()
    for value in (1, 2):
        decoded = decoder.decode(f'm a="x_{value}",b={value}i,c=t,d={value} {STAMP}'.encode())
        assert list(decoded.samples) == [Sample("m/b", value, AT), Sample("m/d", value, AT)]
        assert decoded.refusals == [Refusal("not_a_number", "m/a"), Refusal("not_a_number", "m/c")]


def test_many_lines_are_read_as_columns() -> None:
    decoder = InfluxDecoder()
    text = "\n".join(f"m,d=x a={each},b={each}i {STAMP[:-2]}{each:02d}" for each in range(20))
    for _ in range(2):
        decoded = decoder.decode(text.encode())
        assert isinstance(decoded.samples, Row)
        assert [each.value for each in decoded.samples] == [float(each // 2) for each in range(40)]


@pytest.mark.parametrize(
    "text",
    [
        'a b="\n' * 40_000,
        'a b="x\\"\n' * 20_000,
        "a b=1," * 40_000,
        "a" * 262_144,
        "a," * 131_072,
        "a,b=" * 65_536,
        "a b=" * 65_536,
        "\\" * 262_144,
        "a b=" + "9" * 262_000,
        'a b="' + '\\"' * 131_000,
        "a b=1 " + "9" * 262_000,
        " " * 262_144 + "a",
        ("a b=1" + " " * 1000 + "\n") * 250,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_the_worst_payloads_take_linear_time(text: str) -> None:
    # a parser that isn't linear would take minutes here
    decoder = InfluxDecoder(readings=1_000_000)
    with suppress(Refused):
        assert decoder.decode(text.encode()) is not None


def naive(text: str) -> tuple[list[tuple[str, float, float | None]], int]:
    """The samples of a text without newlines in strings, parsed by character, and the number of invalid lines."""
    found: list[tuple[str, float, float | None]] = []
    bad = 0
    for line in text.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            found += naive_line(line.strip(" "))
        except (ValueError, IndexError):
            bad += 1
    return found, bad


def cut(text: str, at: str, *, strings: bool = False) -> list[str]:
    """Split at a character that is neither escaped nor inside a string."""
    parts, part, place, inside = [], "", 0, False
    while place < len(text):
        character = text[place]
        if character == "\\" and place + 1 < len(text):
            part += text[place : place + 2]
            place += 2
            continue
        if strings and character == '"':
            inside = not inside
        if character == at and not inside:
            parts.append(part)
            part = ""
        else:
            part += character
        place += 1
    return [*parts, part]


def plain(text: str, escaped: str) -> str:
    if not text:
        raise ValueError
    for character in escaped:
        text = text.replace(f"\\{character}", character)
    return text.replace("/", ":")


def naive_line(line: str) -> list[tuple[str, float, float | None]]:
    head, fields, *rest = [each for each in cut(line, " ", strings=True) if each]
    measurement, *tags = cut(head, ",")
    pairs = [cut(each, "=") for each in tags]
    if any(len(each) != 2 for each in pairs) or len(rest) > 1:
        raise ValueError
    levels = [plain(measurement, ", ")]
    levels += [value for _, value in sorted((plain(key, ",= "), plain(value, ",= ")) for key, value in pairs)]
    time = int(rest[0]) / 1e9 if rest else None
    found = []
    for each in cut(fields, ",", strings=True):
        key, value = cut(each, "=", strings=True)
        path = "/".join([*levels, plain(key, ",= ")])
        if value.startswith('"'):
            if not value.endswith('"') or len(value) < 2:
                raise ValueError
        elif value not in {"t", "F"}:
            found.append((path, float(int(value[:-1])) if value.endswith(("i", "u")) else float(value), time))
    return found


words = st.sampled_from(["a", "b", "cpu", "x\\ y", "p\\,q", "k\\=v", "/var/log", "é"])
values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**40), 2**40).map("{}i".format),
    st.integers(0, 2**40).map("{}u".format),
    st.sampled_from(["t", "F", '"s"', '"a b, c=d"', '"q\\"q"', "oops", "1.5i", '"open']),
)
heads = st.tuples(words, st.lists(st.tuples(words, words), max_size=3)).map(
    lambda each: ",".join([each[0].replace("\\=", "="), *(f"{key}={value}" for key, value in each[1])])
)
all_fields = st.lists(st.tuples(words, values), min_size=1, max_size=4).map(
    lambda each: ",".join(f"{key}={value}" for key, value in each)
)
stamps = st.sampled_from(["", "", f" {STAMP}", f" {STAMP[:-1]}7", " soon"])
lines = st.one_of(
    st.tuples(heads, st.just(" "), all_fields, stamps).map("".join),
    st.sampled_from(["", "# c", "bad", "m f=1", "m f=2 5"]),
)


@pytest.mark.long
@seed(4)
@settings(max_examples=1000, database=None)
@given(sent=st.lists(lines, min_size=1, max_size=6))
def test_every_text_gives_the_same_result_as_the_slow_parser(sent: list[str]) -> None:
    # An unterminated string would include the next line, but the slow parser reads line by line.
    text = "\n".join(each for each in sent if each.replace('\\"', "").count('"') % 2 == 0)
    expected, bad = naive(text)
    if all(time is not None for _, _, time in expected):
        expected.sort(key=lambda each: each[2] or 0.0)
    decoder = InfluxDecoder()
    for _ in range(2):
        try:
            decoded = decoder.decode(text.encode())
        except Refused:
            decoded = Decoded([], [Refusal("malformed")] * bad)
        assert [tuple(each) for each in decoded.samples] == expected
        assert len([each for each in decoded.refusals if each.reason in {"malformed", "bad_time"}]) == bad
