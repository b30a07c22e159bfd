"""`edgewarden simulate`: a plant with labelled faults, or a CSV file, for any broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from simulators.options import MomentType, Prefix, SpanType
from simulators.signals.label import FAULT_KINDS

FILE = click.Path(dir_okay=False, path_type=Path)
PLANT_ONLY = (
    "sensors", "seed", "interval_s", "rate", "start", "duration_s", "fault_share", "fault_size",
    "faults_each", "fault_kinds", "warm_up", "truth_path",
)  # fmt: skip
BROKER_ONLY = ("port", "username", "password_file", "tls", "ca_file", "qos", "form", "pack", "speed")


@click.command()
@click.option("--host", default=None, help="Broker to publish to.  [default: 127.0.0.1, none with --output]")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port.  [default: 1883, 8883 with --tls]")
@click.option(
    "--kafka",
    metavar="BROKERS",
    help="Bootstrap servers of Apache Kafka, instead of a broker; the topic is the first level of --prefix.",
)
@click.option("--username", default=None, help="User name at the broker.")
@click.option("--password-file", type=FILE, help="File that contains only the password.")
@click.option("--tls", is_flag=True, help="Encrypt; the broker's certificate is verified.")
@click.option("--ca-file", type=FILE, help="CA certificates to verify it (PEM); by default the system's.")
@click.option("--qos", type=click.IntRange(0, 1), default=1, show_default=True, help="Quality of service of readings.")
@click.option("--prefix", type=Prefix(), help="Prefix of all topics.  [default: plant, nothing with --csv]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "device", "array", "number"]),
    default="json",
    show_default=True,
    help="json: one reading; device: an object with one field per sensor; array: several readings of a sensor.",
)
@click.option(
    "--pack",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Readings per message with --format array.",
)
@click.option(
    "--sensors", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Number of sensors of the plant."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    help="Seed; the same seed, options and --start give identical output.",
)
@click.option(
    "--interval",
    "interval_s",
    type=SpanType(),
    default="60s",
    show_default=True,
    help="Time between two readings of a sensor.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    help="Readings per second of the whole plant, 0 for as fast as possible.  [default: real time]",
)
@click.option(
    "--duration",
    "duration_s",
    type=SpanType(),
    default="7d",
    show_default=True,
    help="Length of the run in plant time.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="End after this many seconds of real time.",
)
@click.option("--start", type=MomentType(), help="Start in plant time.  [default: so that it ends now]")
@click.option(
    "--fault-share",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Fraction of the sensors that have faults.",
)
@click.option(
    "--fault-size",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Multiplies the size of spikes, level shifts, drifts and noise bursts.",
)
@click.option(
    "--faults",
    "faults_each",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="Maximum number of faults of such a sensor.",
)
@click.option(
    "--fault",
    "fault_kinds",
    type=click.Choice(FAULT_KINDS),
    multiple=True,
    metavar="KIND",
    help=f"Only this kind; may be repeated.  [default: {', '.join(FAULT_KINDS)}]",
)
@click.option(
    "--warm-up",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.4,
    show_default=True,
    help="Fraction of the run before the first fault.",
)
@click.option("--truth", "truth_path", type=FILE, help="Write the faults here as well, as JSON lines.")
@click.option("--output", type=FILE, help="Write the readings to a CSV file; with --host, publish them as well.")
@click.option("--csv", "csv_path", type=FILE, help="Publish the readings of this CSV file instead of a plant's.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="With --csv: speed factor, 0 for as fast as possible.",
)
@click.pass_context
def simulate(context: click.Context, /, **given: Any) -> None:
    """Publish a plant's readings, with labelled faults, or those of a CSV file.

    Each sensor has a topic such as plant/line1/pump1/pressure. When a fault begins, its label (sensor, kind, start and
    end) is published to edgewarden-simulator/truth. Plant time may differ from real time: a week can be published in a
    minute.

    \b
    Examples:
      edgewarden simulate                                    20 sensors, one reading per minute each
      edgewarden simulate --rate 2000 --truth truth.jsonl    a week in less than two minutes
      edgewarden simulate --output week.csv                  a file for `edgewarden replay`
      edgewarden simulate --csv mine.csv --speed 60          readings of a file, 60 times faster
    """  # noqa: D301 - click keeps the lines of a paragraph that begins with this character
    _check(context, given)

    from simulators.run import RunError, execute  # noqa: PLC0415 - loaded when the command runs

    try:
        execute(given)
    except RunError as error:
        click.echo(f"edgewarden: {error}", err=True)
        context.exit(error.exit_code)


def _check(context: click.Context, given: dict[str, Any]) -> None:
    """Reject options without effect.

    Raises:
        click.UsageError: There is one.
    """
    publishes = given["host"] is not None or given["kafka"] is not None or given["output"] is None
    broker = ("host", "port", "username", "password_file", "tls", "ca_file", "qos")
    rules = (
        (given["kafka"] is not None, broker, "has no effect with --kafka"),
        (given["csv_path"] is not None, PLANT_ONLY, "has no effect with --csv"),
        (given["csv_path"] is None, ("speed",), "has no effect without --csv"),
        (not publishes, BROKER_ONLY, "has no effect with --output alone; --host publishes as well"),
        (not publishes, ("rate",), "has no effect with --output alone, which is written at once"),
        (given["form"] != "array", ("pack",), "has no effect without --format array"),
        (not given["tls"], ("ca_file",), "has no effect without --tls"),
        (given["username"] is None, ("password_file",), "needs --username too"),
    )
    for applies, names, problem in rules:
        for name in names if applies else ():
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"{_spelled(context, name)} {problem}")


def _spelled(context: click.Context, name: str) -> str:
    return next(each.opts[0] for each in context.command.params if each.name == name)


@click.command()
@click.option("--seconds", type=click.FloatRange(20, 3600), default=90, show_default=True, help="Duration in seconds.")
@click.option(
    "--sensors", type=click.IntRange(20, 500), default=24, show_default=True, help="Number of sensors of the plant."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Seed of the plant.")
@click.option(
    "--sink", "sinks", metavar="URL", multiple=True, help="Also send events to this sink; may be given several times."
)
@click.pass_context
def demo(context: click.Context, seconds: float, sensors: int, seed: int, sinks: tuple[str, ...]) -> None:
    """Run a broker, the service and a simulated plant with faults, and show the incidents.

    Ends with a summary that compares the incidents with the simulated faults; exits with 0 if everything worked.
    """
    from edge.shell.broker.embedded import BrokerError  # noqa: PLC0415 - loaded when the command runs
    from simulators.demo.demo import play  # noqa: PLC0415 - for the same reason
    from simulators.demo.sinks import SinkUrlError, sink_tables  # noqa: PLC0415 - for the same reason

    try:
        context.exit(play(seconds, sensors, seed, sink_tables(sinks)))
    except SinkUrlError as error:
        raise click.UsageError(str(error)) from None
    except BrokerError as error:
        click.echo(f"edgewarden: {error}", err=True)
        context.exit(1)
