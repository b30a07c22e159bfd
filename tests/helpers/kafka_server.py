"""A real Apache Kafka in KRaft mode on free ports of this machine; its jars come through Maven into a cache folder.

The variable KAFKA_JARS names a folder that already contains them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from running import wait_until

from edge.shell.broker.embedded import free_port, is_listening

VERSION = "4.1.1"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test</groupId><artifactId>kafka</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
</dependency></dependencies></project>"""
CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
START_S, READ_S = 120.0, 120.0
UNSETTLED = {"UNKNOWN_LEADER_EPOCH", "NOT_LEADER_FOR_PARTITION"}
"""Answers of a partition that has just been created, or whose broker has just started."""


@cache
def jars() -> Path:
    """The folder with the jars; if they can't be downloaded, the test is skipped, but not in CI."""
    if shutil.which("java") is None:
        skip("Java isn't installed")
    if folder := os.environ.get("KAFKA_JARS"):
        return Path(folder)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgewarden-tests" / f"kafka-{VERSION}"
    if not (base / "whole").exists():
        if shutil.which("mvn") is None:
            skip("Maven isn't installed, and KAFKA_JARS isn't set")
        base.mkdir(parents=True, exist_ok=True)
        (base / "pom.xml").write_text(POM)
        command = ["mvn", "-q", "-B", PLUGIN, f"-DoutputDirectory={base / 'jars'}", "-DincludeScope=runtime"]
        if subprocess.run(command, cwd=base, capture_output=True, timeout=600, check=False).returncode:
            skip("the jars of Apache Kafka can't be had through Maven")
        (base / "whole").touch()
    return base / "jars"


def skip(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Kafka:
    """One broker, which is its own controller.

    Args:
        folder: Folder of its configuration, data and log.
        more: Additional lines of its configuration.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self._controller = free_port()
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> int:
        """Its process ID; it has been started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it unless it is running, and wait until it answers."""
        if self._process is not None and self._process.poll() is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "server.properties"
        file.write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{self._controller}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
log.dirs={self.folder / "data"}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
{self._more}
"""
        )
        if not (self.folder / "data").exists():
            self._run("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(file)).wait(START_S)
        self._process = self._run("kafka.Kafka", str(file))
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.poll() is None:
            if is_listening("127.0.0.1", self.port) and self._answers():
                return
            time.sleep(0.2)
        raise AssertionError(f"Kafka didn't start: see {self.folder / 'kafka.log'}")

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self._process.kill()
            self._process.wait()

    def remove(self) -> None:
        """Kill it, and delete its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """Whether it is running and not paused."""
        return self._process is not None and self._process.poll() is None and not self._is_stopped

    def stop(self) -> None:
        """Pause it (SIGSTOP), with its connections open."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            self._is_stopped = True

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._is_stopped = False

    def forget(self) -> None:
        """Delete its data; it must not be running."""
        shutil.rmtree(self.folder / "data")

    def create_topic(self, name: str, partitions: int = 3, **settings: str) -> None:
        self.create_topics(name, partitions=partitions, **settings)

    def create_topics(self, *names: str, partitions: int, **settings: str) -> None:
        """Create topics with the same settings by one request."""
        from confluent_kafka.admin import NewTopic

        config = {key.replace("_", "."): value for key, value in settings.items()}
        admin = self._admin()
        for future in admin.create_topics([NewTopic(each, partitions, 1, config=config) for each in names]).values():
            future.result(30)

    def set_topic(self, name: str, **settings: str) -> None:
        """Change settings of a topic."""
        from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

        entries = [
            ConfigEntry(key.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
            for key, value in settings.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        admin = self._admin()
        for future in admin.incremental_alter_configs([resource]).values():
            future.result(30)

    def delete_topic(self, name: str) -> None:
        admin = self._admin()
        admin.delete_topics([name])[name].result(30)

    def topics(self) -> set[str]:
        return set(self._admin().list_topics(timeout=20).topics)

    def delete_records(self, topic: str) -> None:
        """Delete all current records of a topic, as retention does with old ones."""
        from confluent_kafka import TopicPartition

        admin = self._admin()
        parts = [TopicPartition(topic, each, -1) for each in admin.list_topics(topic, 20).topics[topic].partitions]
        for future in admin.delete_records(parts).values():
            future.result(30)

    def producer(self, **settings: Any) -> Any:
        """A producer whose records stay in order.

        A topic that has just been created refuses the first requests. Without idempotence, these would be repeated
        behind later ones, and tests would compare events of different sequences.
        """
        from confluent_kafka import Producer

        own = {"bootstrap.servers": self.bootstrap, "enable.idempotence": True, "log_level": 0}
        return Producer(own | settings)

    def count(self, topic: str) -> int:
        """Current number of records in a topic; for a while after a restart, answers of partitions are refused."""
        from confluent_kafka import KafkaException, TopicPartition
        from confluent_kafka.admin import AdminClient, OffsetSpec

        admin: AdminClient = self._admin()

        def counted() -> list[int]:
            parts = admin.list_topics(topic, 20).topics[topic].partitions
            found = admin.list_offsets({TopicPartition(topic, each): OffsetSpec.latest() for each in parts})
            try:
                return [sum(future.result(20).offset for future in found.values())]
            except KafkaException as error:
                if not error.args[0].retriable() and error.args[0].name() not in UNSETTLED:
                    raise
                return []

        return int(wait_until(counted, 60, f"the number of records in {topic}")[0])

    def records(self, topic: str) -> list[Any]:
        """All current records of a topic, by partition and offset."""
        from confluent_kafka import Consumer, KafkaError, TopicPartition

        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "test",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        found: list[Any] = []
        try:
            parts = [
                TopicPartition(topic, each, 0) for each in consumer.list_topics(topic, 20).topics[topic].partitions
            ]
            consumer.assign(parts)
            until, unread = time.monotonic() + READ_S, {each.partition for each in parts}
            while unread:
                assert time.monotonic() < until, f"{topic} can't be read to the end of the partitions {unread}"
                for each in consumer.consume(1000, 0.5):
                    if each.error() is None:
                        found.append(each)
                    elif each.error().code() == KafkaError._PARTITION_EOF:
                        unread.discard(each.partition())
        finally:
            consumer.close()
        return sorted(found, key=lambda each: (each.partition(), each.offset()))

    def _admin(self) -> Any:
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def _answers(self) -> bool:
        from confluent_kafka import KafkaException

        try:
            return bool(self._admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        memory = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
        with (self.folder / "kafka.log").open("ab") as log:
            return subprocess.Popen(
                ["java", *memory, "-cp", f"{jars()}/*", program, *arguments],  # noqa: S607 - whichever is on the path
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
