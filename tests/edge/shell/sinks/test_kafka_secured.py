"""Apache Kafka with SASL and TLS: the sink and the link connect with the right password, and say why not without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certificates
import pytest
from running import receive, wait_until
from sink_line import SinkLine, sink_events

pytest.importorskip("confluent_kafka")

from kafka_server import Kafka

from edge.shell.broker.embedded import free_port
from edge.shell.link import Subscription, TlsOptions
from edge.shell.link.kafka.cluster import Cluster, GroupOptions, KafkaLinkOptions
from edge.shell.link.kafka.kafka_link import KafkaLink
from edge.shell.sinks.options import KafkaOptions, Login, SinkOptions

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not certificates.available(), reason="openssl isn't installed"),
]

USER, PASSWORD = "gw", "right-password"
MODULES = "org.apache.kafka.common.security"


class SecuredKafka(Kafka):
    """A broker with a second listener, which is encrypted and requires a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.made = made = certificates.make(folder.parent / "certificates")
        self.ca, self.secured_port, self.certified_port = made.ca, free_port(), free_port()
        both = folder.parent / "server.pem"
        both.write_text(made.key.read_text() + made.certificate.read_text())
        self._more = f"""
listeners=PLAINTEXT://127.0.0.1:{self.port},SASL_SSL://127.0.0.1:{self.secured_port},SSL://127.0.0.1:{self.certified_port},CONTROLLER://127.0.0.1:{self._controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port},SASL_SSL://localhost:{self.secured_port},SSL://localhost:{self.certified_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={both}
listener.name.ssl.ssl.client.auth=required
listener.name.ssl.ssl.truststore.type=PEM
listener.name.ssl.ssl.truststore.location={made.ca}
connections.max.reauth.ms=4000
"""

    def add_scram_user(self, password: str = PASSWORD) -> None:
        """Add the user, or change its password."""
        from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

        admin = self._admin()
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            wanted = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), password.encode())
            for future in admin.alter_user_scram_credentials([wanted]).values():
                future.result(30)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    made = SecuredKafka(tmp_path_factory.mktemp("secured") / "kafka")
    made.start()
    made.create_topic("events")
    made.add_scram_user()
    yield made
    made.kill()


def options(kafka: SecuredKafka, sasl: str, password: str = PASSWORD, ca: Path | None = None) -> SinkOptions:
    tls = TlsOptions(str(ca or kafka.ca))
    how = KafkaOptions((f"localhost:{kafka.secured_port}",), "events", Login(USER, password), sasl, tls)
    return SinkOptions("out", "kafka", how, begin="beginning")


def link_to(kafka: SecuredKafka, sasl: str, password: str = PASSWORD) -> KafkaLink:
    cluster = Cluster((f"localhost:{kafka.secured_port}",), USER, password, sasl, TlsOptions(str(kafka.ca)))
    group = GroupOptions(cluster, f"group-{sasl}-{password}", "one", "beginning", session_s=6.0)
    return KafkaLink(KafkaLinkOptions(group), [Subscription("events/#")])


@pytest.mark.parametrize("sasl", ["plain", "scram-sha-256", "scram-sha-512"])
def test_events_and_readings_arrive_with_the_right_password(kafka: SecuredKafka, tmp_path: Path, sasl: str) -> None:
    line = SinkLine(tmp_path, options(kafka, sasl))
    line.store_events(sink_events(1, 20))
    line.run_through(20)
    line.close()
    link = link_to(kafka, sasl)
    link.start()
    assert len(receive(link, 20)) >= 20
    link.stop()


def test_a_wrong_password_is_reported_and_never_shown(
    kafka: SecuredKafka, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    line = SinkLine(tmp_path, options(kafka, "plain", "wrong-password"))
    line.store_events(sink_events(1, 1))
    words = str(line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error"))
    line.close()
    assert "uthentication failed" in words
    link = link_to(kafka, "plain", "wrong-password")
    link.start()
    trouble = wait_until(lambda: link.trouble, what="the trouble")
    link.stop()
    assert "uthentication failed" in trouble
    assert "wrong-password" not in words + trouble + caplog.text


def test_an_untrusted_certificate_is_refused(kafka: SecuredKafka, tmp_path: Path) -> None:
    stranger = certificates.make(tmp_path / "stranger")
    line = SinkLine(tmp_path, options(kafka, "plain", ca=stranger.ca))
    line.store_events(sink_events(1, 1))
    words = str(line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error"))
    passed = line.passed()
    line.close()
    assert "certificate verify failed" in words
    assert passed == {"out": 0}


def certified(kafka: SecuredKafka, tls: TlsOptions) -> SinkOptions:
    how = KafkaOptions((f"localhost:{kafka.certified_port}",), "events", tls=tls)
    return SinkOptions("out", "kafka", how, begin="beginning")


def test_a_client_certificate_replaces_a_password(kafka: SecuredKafka, tmp_path: Path) -> None:
    tls = TlsOptions(str(kafka.ca), str(kafka.made.certificate), str(kafka.made.key))
    line = SinkLine(tmp_path, certified(kafka, tls))
    line.store_events(sink_events(1, 20))
    line.run_through(20)
    line.close()
    cluster = Cluster((f"localhost:{kafka.certified_port}",), tls=tls)
    link = KafkaLink(
        KafkaLinkOptions(GroupOptions(cluster, "certified", "one", "beginning", session_s=6.0)),
        [Subscription("events/#")],
    )
    link.start()
    assert len(receive(link, 20)) >= 20
    link.stop()


def test_without_a_client_certificate_nothing_arrives_and_the_reason_is_reported(
    kafka: SecuredKafka, tmp_path: Path
) -> None:
    line = SinkLine(tmp_path, certified(kafka, TlsOptions(str(kafka.ca))))
    line.store_events(sink_events(1, 1))
    words = str(line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error"))
    passed = line.passed()
    line.close()
    assert "certificate" in words
    assert passed == {"out": 0}


def test_an_expired_password_is_reported_by_sink_and_link_and_both_continue_once_it_is_right_again(
    kafka: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.runner.CONFIRM_S", 5.0)
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.5)
    line = SinkLine(tmp_path, options(kafka, "scram-sha-512"))
    line.store_events(sink_events(1, 5))
    line.run_through(5)
    link = link_to(kafka, "scram-sha-512")
    link.start()
    assert receive(link, 5)
    try:
        kafka.add_scram_user("another-password")  # connections authenticate again every four seconds

        def is_told() -> bool:
            last = line.store.last_sequence()
            line.store_events(sink_events(last + 1, last + 1))
            return "uthentication" in str(line.keeper.as_dict()["out"]["last_error"])

        line.run_until(is_told, 90, "the error")
        last = line.store.last_sequence()
        assert line.passed()["out"] < last
        trouble = wait_until(lambda: link.trouble, 90, "the link's trouble")
        assert "uthentication" in trouble
        assert not link.connected
    finally:
        kafka.add_scram_user()
    line.run_through(last, 90)
    line.close()
    assert receive(link, last)
    link.stop()
