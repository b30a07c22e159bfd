"""`edgewarden fleet`: anomaly detection for any number of sensors, on a stream-processing engine over Apache Kafka."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from edge.commands.support.places import Command, config_option

BEGIN = click.Choice(["now", "beginning"])


def of_a_cluster(command: Command) -> Command:
    """Add the options of the connection to Kafka; the command gets librdkafka's settings as its first argument."""

    @click.option("--brokers", required=True, help="Bootstrap servers of Kafka, host:port, separated by commas.")
    @click.option(
        "--client",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Additional settings of the Kafka client (for Spark, the Java client), one key=value per line.",
    )
    @wraps(command)
    def with_client(brokers: str, client: Path | None, **given: Any) -> Any:
        return command({**_settings(client), "bootstrap.servers": brokers}, **given)

    return with_client  # type: ignore[return-value]


def of_a_fleet(command: Command) -> Command:
    """Add the options shared by the engines."""
    options: list[Callable[[Command], Command]] = [
        config_option("Configuration; gateway.name is the name of the fleet."),
        click.option("--source", required=True, help="Topic of the readings, the first level of the inputs' topics."),
        click.option("--events", required=True, help="Topic of the events."),
        click.option(
            "--cells",
            type=click.IntRange(1, 100_000),
            default=16,
            show_default=True,
            help="Number of cells per partition of the source, for about 1,000 sensors each; later only multiples.",
        ),
        click.option("--from", "begin", type=BEGIN, default="now", show_default=True, help="Where a new fleet begins."),
    ]
    for each in reversed(options):
        command = each(command)
    return command


@click.group()
def fleet() -> None:
    """Detect anomalies in readings from Apache Kafka with many processes, on a stream-processing engine."""


@fleet.command()
@of_a_cluster
@of_a_fleet
@click.option("--group", default="edgewarden-fleet", show_default=True, help="Consumer group that the workers share.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("fleet-state"),
    show_default=True,
    help="Folder for the states of this worker; each worker needs its own.",
)
@click.option(
    "--checkpoint",
    type=click.FloatRange(0.1, 60),
    default=1.0,
    show_default=True,
    help="Seconds between two checkpoints, the maximum delay of a reading.",
)
def quix(
    client: dict[str, str],
    path: Path,
    source: str,
    events: str,
    cells: int,
    begin: str,
    group: str,
    state: Path,
    checkpoint: float,
) -> None:
    """Run a worker on Quix Streams until stopped.

    Start as many workers as the load requires: they share the partitions of the source, and take over from each other.
    """
    _need("quixstreams", "quix")
    from config.loading import load  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.fleet.engines.quix import QuixWorker  # noqa: PLC0415
    from edge.fleet.engines.quix_options import FleetError, QuixOptions  # noqa: PLC0415
    from edge.shell.system.logs import set_up_logs  # noqa: PLC0415

    with explained():
        configuration = load(path)
        options = QuixOptions(
            cells,
            source,
            events,
            group,
            client,
            str(state),
            {"now": "latest", "beginning": "earliest"}[begin],
            checkpoint,
        )
        set_up_logs(configuration.log.level)
        try:
            QuixWorker(configuration, options).run()
        except FleetError as error:
            click.echo(f"edgewarden: {error}", err=True)
            sys.exit(1)


@fleet.command()
@of_a_cluster
@of_a_fleet
@click.option("--checkpoint", required=True, help="Folder or address for offsets and states, which all workers reach.")
@click.option(
    "--master", default="local[1,4]", show_default=True, help="Address of the Spark cluster, or this machine: one core."
)
@click.option(
    "--tasks",
    type=click.IntRange(1, 10_000),
    default=8,
    show_default=True,
    help="Tasks of a batch, at least as many as cores. If it changes, the states are distributed again first.",
)
@click.option("--batch", type=click.IntRange(1), default=500_000, show_default=True, help="Records of a batch at most.")
@click.option(
    "--trigger", type=click.FloatRange(0, 600), default=1.0, show_default=True, help="Seconds between two batches."
)
@click.option(
    "--divide",
    "divided",
    metavar="CHECKPOINT",
    help="Checkpoint of a stopped fleet that a new one continues with a multiple of its cells.",
)
@click.option("--conf", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of Spark; may be repeated.")
def spark(
    client: dict[str, str],
    path: Path,
    source: str,
    events: str,
    cells: int,
    begin: str,
    checkpoint: str,
    master: str,
    tasks: int,
    batch: int,
    trigger: float,
    divided: str | None,
    settings: tuple[str, ...],
) -> None:
    """Run the fleet on Spark Structured Streaming until stopped.

    Needs Java 17. Spark's Kafka connector is fetched from Maven Central, unless spark.jars or spark.jars.packages is
    set.
    """
    _need("pyspark", "spark")
    from config.loading import load  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.fleet.engines.spark import SparkJobError, SparkOptions, run  # noqa: PLC0415
    from edge.shell.system.logs import set_up_logs  # noqa: PLC0415

    with explained():
        set_up_logs(load(path).log.level)
        chosen = dict(_pair(each, "--conf") for each in settings)
        offsets = {"now": "latest", "beginning": "earliest"}[begin]
        text = path.read_text("utf-8")
        options = SparkOptions(text, cells, source, events, client, checkpoint, offsets, batch, trigger, divided or "")
        try:
            run(master, tasks, chosen, options)
        except SparkJobError as error:
            click.echo(f"edgewarden: {error}", err=True)
            sys.exit(1)


@fleet.command()
@of_a_cluster
@click.option("--topic", required=True, help="Topic of the readings.")
@click.option(
    "--every", type=click.FloatRange(1, 3600), default=10.0, show_default=True, help="Seconds between two heartbeats."
)
def heartbeat(client: dict[str, str], topic: str, every: float) -> None:
    """Write heartbeats to each partition of a topic.

    A heartbeat is a record without key and value. A fleet's time advances by its records only: without heartbeats,
    silence isn't detected when all sensors of a partition are silent.
    """
    _need("confluent_kafka", "kafka")
    from edge.fleet.heartbeat import Heartbeat, HeartbeatError  # noqa: PLC0415 - loaded when the command runs

    heart = Heartbeat(client, topic)
    while True:
        try:
            heart.beat()
        except HeartbeatError as error:
            click.echo(f"edgewarden: {error}", err=True)
        time.sleep(every)


def _settings(client: Path | None) -> dict[str, str]:
    lines = [] if client is None else client.read_text("utf-8").splitlines()
    shown = [(number, each.strip()) for number, each in enumerate(lines, 1)]
    return dict(_pair(each, f"{client}, line {number}") for number, each in shown if each and each[0] != "#")


def _pair(text: str, where: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{where}: must be key=value")
    return key.strip(), value.strip()


def _need(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise click.UsageError(f"this needs a package: pip install 'edgewarden[{extra}]'")
