from __future__ import annotations

import bz2
import gzip
import zlib

import cbor2
import msgspec
import pytest

from edge.core.intake.decoders.notation.other_values import DATA_SET
from edge.core.intake.decoders.recognition.looks_like import FORMATS, LOOKED_AT, instead

COMMA = "a decimal comma and a unit"
THOUSANDS = (
    "a number whose thousands are separated, which no option reads, or numbers in a row: "
    'format = "text" with columns = ["...", "..."]'
)
DOCUMENT = {"temperature": 21.5}
LINE = b"cpu,host=gw usage_idle=98.2 1700000000000000000"
SPARKPLUG = b"\x08" + bytes.fromhex("c8b4a8b9c331") + b"\x12\x04\x0a\x02ab"


@pytest.mark.parametrize(
    ("wanted", "payload", "said"),
    [
        ("json", b"Online", 'not JSON but the text "Online": format = "number" with values = { Online = 1 }'),
        ("json", b"off", 'not JSON but the text "off": format = "number" with values = { off = 0 }'),
        (
            "number",
            b"unknown",
            'not a plain number but the text "unknown", which says that there is no value: no_value = ["unknown"]',
        ),
        (
            "number",
            b"---",
            'not a plain number but the text "---", which says that there is no value: no_value = ["---"]',
        ),
        (
            "json",
            b"21.5 \xb0C",
            'not JSON; a number followed by a unit in Latin-1: format = "number" with units = true',
        ),
        (
            "number",
            b"None",
            'not a plain number but the text "None", which says that there is no value: no_value = ["None"]',
        ),
        ("number", b" ON\n", 'not a plain number but the text "ON": values = { ON = 1 }'),
        ("json", b"21.5 C", 'not JSON but a number followed by a unit: format = "number" with units = true'),
        ("number", "21.5 °C".encode(), "not a plain number but a number followed by a unit: units = true"),
        ("number", b"45%", "not a plain number but a number followed by a unit: units = true"),
        ("number", b"12,5 l/min", f'not a plain number but a number with {COMMA}: decimal = "," and units = true'),
        ("json", b"T=21.5C H=40%", 'not JSON but pairs: format = "text" with units = true'),
        ("text", b"T=21.5C H=40%", "not pairs of a name and a value but pairs: units = true"),
        ("json", b"T=21,5;H=40", 'not JSON but pairs: format = "text"'),
        ("json", b"0T00:10:12", "not JSON but a duration, which no option reads"),
        (
            "cbor",
            b"1-0:1.8.0*255(001234.567*kWh)",
            f"not CBOR but {DATA_SET}",
        ),
        (
            "json",
            b"meas,a=b f=3.25i",
            "not JSON but line protocol with a field that isn't a number, boolean or string",
        ),
        ("json", b'meas,a=b f="on"', "not JSON but line protocol with no number"),
        ("json", b"a=1-2", "not JSON but a text"),
        ("number", b'"21.5"', "not a plain number but a number in quotes"),
        ("number", b"21,5", 'not a plain number but a number with a decimal comma: decimal = ","'),
        ("number", b"1,5e3", 'not a plain number but a number with a decimal comma: decimal = ","'),
        ("number", b"1.234,5", 'not a plain number but a number with a decimal comma: decimal = ","'),
        ("json", b"1,234.5", f"not JSON but {THOUSANDS}"),
        (
            "number",
            b"1,234",
            'not a plain number but a number with a decimal comma, unless the comma separates thousands: decimal = ","',
        ),
        ("number", "1\u202f234,5".encode(), 'not a plain number but a number with a decimal comma: decimal = ","'),
        (
            "json",
            b"time;temp C\r\n1700000000;21.5\r\n",
            'not JSON but rows below the names of their columns: format = "text" with columns = ["...", "..."]',
        ),
        ("json", b"<0.1", "not JSON but a bound or an estimate, which no option reads"),
        ("json", "\uff12\uff11".encode(), "not JSON but a text"),
        ("json", b"PASSKEY=AB&model=GW1000&tempf=70.3", 'not JSON but pairs: format = "text"'),
        ("number", b"12:30", "not a plain number but a time, not a value"),
        ("json", b"7:05:09 pm", "not JSON but a time, not a value"),
        ("json", b"2026-11-28", "not JSON but a time, not a value"),
        ("number", b"28.11.2026 12:30", "not a plain number but a time, not a value"),
        ("number", b"25:30", 'not a plain number but pairs: format = "text"'),
        ("number", b"21.5\0", "not a plain number but a text that ends in a NUL character"),
        ("number", b'{"a": 1}', 'not a plain number but JSON: format = "json"'),
        ("cbor", b'{"a": 1}', 'not CBOR but JSON: format = "json"'),
        ("msgpack", b"[1]", 'not MessagePack but JSON: format = "json"'),
        ("number", b'[{"bn": "a", "v": 1}]', 'not a plain number but SenML: format = "senml"'),
        ("json", LINE, 'not JSON but line protocol: format = "influx"'),
        ("json", b"# made by telegraf\n" + LINE, 'not JSON but line protocol: format = "influx"'),
        ("cbor", b"21.5", 'not CBOR but a plain number: format = "number"'),
        ("json", b"<value>21.5</value>", "not JSON but XML or HTML"),
        ("json", b"0badcafe", "not JSON but hexadecimal digits"),
        ("json", b"hello, world", "not JSON but a text"),
        ("json", gzip.compress(b"{}", mtime=0), "not JSON; looks like gzip"),
        ("json", zlib.compress(b'{"temperature": 21.5}'), "not JSON; looks like zlib"),
        ("json", bz2.compress(b"{}"), "not JSON; looks like bzip2"),
        ("influx", b"\x28\xb5\x2f\xfd\x00", "not line protocol; looks like Zstandard"),
        ("json", '{"a": 1}'.encode("utf-16"), "not JSON; looks like text in UTF-16"),
        ("json", b"\xff\xd8\xff\xe0", "not JSON; looks like a JPEG image"),
        ("json", SPARKPLUG, 'not JSON; looks like Sparkplug B: convention = "sparkplug"'),
        ("json", msgspec.msgpack.encode(DOCUMENT), 'not JSON; looks like MessagePack: format = "msgpack"'),
        ("cbor", msgspec.msgpack.encode(DOCUMENT), 'not CBOR; looks like MessagePack: format = "msgpack"'),
        ("json", cbor2.dumps(DOCUMENT), 'not JSON; looks like CBOR: format = "cbor"'),
        ("msgpack", cbor2.dumps([DOCUMENT] * 2), 'not MessagePack; looks like CBOR: format = "cbor"'),
        ("json", b"\x80\x80", "not JSON; it is binary"),
        ("json", cbor2.dumps([{"a": "x" * 5000}]), 'not JSON; looks like CBOR: format = "cbor"'),
        ("json", msgspec.msgpack.encode([DOCUMENT] * 500), 'not JSON; looks like MessagePack: format = "msgpack"'),
    ],
)
def test_it_recognises_the_format_of_a_payload(wanted: str, payload: bytes, said: str) -> None:
    assert instead(wanted, payload) == said


@pytest.mark.parametrize(
    ("wanted", "payload"),
    [
        ("json", b'{"a": '),
        ("senml", b'[{"bn": "a", "v": '),
        ("influx", b"cpu,host=gw usage=x"),
        ("influx", b"cpu"),
        ("cbor", cbor2.dumps(DOCUMENT)[:-1]),
        ("msgpack", b"\xc1"),
    ],
)
def test_it_ignores_broken_payloads_of_its_own_format(wanted: str, payload: bytes) -> None:
    assert instead(wanted, payload) is None


UNITS = ["12 ", "1013;", "a=1000", "a=1 ", "a: 1", "a:1\t", "1", "a", "a,b=c ", "1.5,", "-1e3 ", "ab", ";", "=", " "]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("end", ["", "x", "=", "OK", "!"])
@pytest.mark.parametrize("length", [80, LOOKED_AT])
def test_a_payload_that_repeats_itself_is_described_without_delay(unit: str, end: str, length: int) -> None:
    payload = (unit * length)[: length - len(end)].encode() + end.encode()
    for wanted in ("json", "number", "text", "influx", "cbor"):
        instead(wanted, payload)  # it took minutes where a pattern could match in several ways


def test_it_quotes_no_text_except_states_that_every_device_knows() -> None:
    assert "hunter2" not in str(instead("json", b"hunter2"))
    assert "hunter2" not in str(instead("json", b"hunter2=x y"))


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_text_that_is_cut_within_a_character_is_still_a_text(wanted: str) -> None:
    payload = b"x" * (LOOKED_AT - 1) + "°".encode() * 2
    assert "binary" not in str(instead(wanted, payload))


@pytest.mark.parametrize(
    "payload",
    [
        *(each * 262_144 for each in (b"9", b"#", b"#\n", b"a", b",a=b", b" ", b"[{", b'"', b"\0", b"\x91", b"\xff")),
        b"a" + b",a=b" * 65_536,
        b"9" * 4000 + b" ",
        b"a " + b"a=" * 131_072,
    ],
    ids=lambda each: f"{each[:5]!r}",
)
@pytest.mark.parametrize("wanted", FORMATS)
def test_the_worst_payloads_are_examined_in_linear_time(wanted: str, payload: bytes) -> None:
    # a pattern that isn't linear would take minutes here
    assert len(instead(wanted, payload) or "") < 120
