from __future__ import annotations

from pathlib import Path

import pytest
from configurations import INPUT

from config.loading import inspect, parse

DOUBTS = [
    ('[[input]]\ntopic = "+/#"', "input[0].topic", 2, "our own topics below edgewarden/gateway/"),
    ('[[input]]\ntopic = "edgewarden/+/state/+"', "input[0].topic", 2, "our own topics"),
    (
        '[broker]\nversion = "3.1.1"\n[[input]]\ntopic = "a/+/x"\n[[input]]\ntopic = "a/b/#"',
        "input[1].topic",
        6,
        "overlaps a/+/x: a/+/# is subscribed to for both, unless",
    ),
    (
        '[broker]\nversion = "3.1.1"\n[[input]]\ntopic = "a/+"\n[[input]]\ntopic = "+/b"',
        "input[1].topic",
        6,
        "overlaps a/+: messages that match both may be counted twice, unless",
    ),
    ('[[input]]\ntopic = "a/#"\n[[input]]\ntopic = "a/+/c"', "input[1].topic", 4, "is never used: input[0]"),
    ('[[input]]\ntopic = "+/+"\nsensor = "{2}/{field}"', "input[0].sensor", 3, "it leaves out {1}"),
    (
        f"{INPUT}[[rule]]\nsensors = '**'\n[[rule]]\nsensors = 'b'",
        "rule[1].sensors",
        6,
        "is never used: rule[0]",
    ),
    (
        f"{INPUT}[[rule]]\nsensors = 'b'\npreset = 'limits_only'",
        "rule[0].detectors.limits",
        3,
        "watches nothing: none",
    ),
    (
        f"{INPUT}[broker]\nusername = 'x'\npassword_env = 'NO_SUCH_VARIABLE_HERE'",
        "broker.password_env",
        5,
        "isn't set in this shell",
    ),
    (f"{INPUT}[upstream]\nhost = 'h'\nusername = 'x'", "upstream.username", 5, "plain text"),
    (
        f"{INPUT}[[device]]\nsensors = ['a/**', 'b']\n[[device]]\nsensors = ['b']",
        "device[1].sensors",
        6,
        "is never used: device[0]",
    ),
    (f"{INPUT}[broker.tls]", "broker.port", 3, "8883 is usual"),
]


@pytest.mark.parametrize(("text", "key", "line", "message"), DOUBTS)
def test_valid_but_suspicious_values_give_warnings(text: str, key: str, line: int, message: str) -> None:
    (doubt,) = parse(text).doubts
    assert (doubt.key, doubt.line) == (key, line)
    assert message in doubt.message


def test_an_ordinary_configuration_gives_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(INPUT)
    assert inspect(path).doubts == ()
