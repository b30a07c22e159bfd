from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import certificates
import pytest
from brokers import Mosquitto
from running import receive, wait_until

from edge.shell.link import Link, Subscription, TlsOptions

MakeLink = Callable[..., Link]
StartMosquitto = Callable[..., Mosquitto]


@pytest.fixture
def tls_broker(start_mosquitto: StartMosquitto, tmp_path: Path) -> tuple[int, certificates.Certificates]:
    if not certificates.available():
        pytest.skip("openssl makes the certificates")
    made = certificates.make(tmp_path / "right")
    lines = f"allow_anonymous true\ncertfile {made.certificate}\nkeyfile {made.key}\n"
    return start_mosquitto(lines).port, made


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves closing its socket to the garbage collector
def test_tls_with_the_right_authority_connects_and_with_another_does_not(
    tls_broker: tuple[int, certificates.Certificates],
    tmp_path: Path,
    make_link: MakeLink,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port, made = tls_broker
    other = certificates.make(tmp_path / "wrong")
    right = make_link(port, Subscription("a"), host="localhost", tls=TlsOptions(ca_file=str(made.ca)))
    assert right.wait_subscribed(10)
    assert right.publish("a", b"x" * 100_000) is not None
    assert [len(each.payload) for each in receive(right, 1)] == [100_000]
    caplog.set_level(logging.WARNING, "edgewarden.link")
    cases = (("localhost", str(other.ca), "see tls.ca_file"), ("localhost", None, "see tls.ca_file"))
    for host, ca, advice in (*cases, ("127.0.0.1", str(made.ca), "see host")):
        caplog.clear()
        wrong = make_link(port, host=host, tls=TlsOptions(ca_file=ca))
        wait_until(lambda: "the broker's certificate is not accepted" in caplog.text)
        assert advice in wrong.trouble
        assert not wrong.connected
        wrong.stop()


def test_a_missing_ca_file_is_a_failed_attempt(mosquitto: Mosquitto, make_link: MakeLink) -> None:
    link = make_link(mosquitto.port, tls=TlsOptions(ca_file="/nowhere/ca.pem"))
    assert not link.wait_connected(0.2)
    assert link.alive
