"""Names and addresses of brokers, including common mistakes."""

from __future__ import annotations

import pytest
from configurations import INPUT, faults_of

from config.loading import parse
from config.notation.hosts import host_problem


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "mqtt.local", "my_broker", "::1", "fe80::1%eth0", "2001:db8::1", "core-mosquitto", "a"],
)
def test_names_and_addresses_are_accepted(host: str) -> None:
    assert host_problem(host) is None
    assert parse(f'{INPUT}[broker]\nhost = "{host}"\n').configuration.broker.host == host


@pytest.mark.parametrize(
    ("host", "instead"),
    [
        ("mqtt://1.2.3.4", 'write host = "1.2.3.4"'),
        ("tcp://broker:1884", 'write host = "broker" and port = 1884'),
        ("mqtts://broker", 'write host = "broker" and a tls table'),
        ("ssl://broker:8883/", 'write host = "broker", port = 8883 and a tls table'),
        ("1.2.3.4:1883", 'write host = "1.2.3.4" and port = 1883'),
        ("[::1]:1883", 'write host = "::1" and port = 1883'),
        ("[::1]", 'write host = "::1"'),
        ("ws://broker:9001/mqtt", "web sockets isn't supported"),
        ("broker/path", "and nothing else"),
        ("my broker", "and nothing else"),
        ("mqtt://", "and nothing else"),
    ],
)
def test_anything_more_than_a_name_is_refused_with_the_correct_form(host: str, instead: str) -> None:
    for table in ("broker", "upstream"):
        fault = faults_of(f'{INPUT}[{table}]\nhost = "{host}"\n')[0]
        assert fault.key == f"{table}.host"
        assert instead in fault.message


def test_a_password_in_an_address_is_not_repeated() -> None:
    fault = faults_of(f'{INPUT}[broker]\nhost = "mqtt://me:s3cret@broker:1883"\n')[0]
    assert "username and password_file" in fault.message
    assert "s3cret" not in fault.message
    assert "me:" not in fault.message
