"""`edgewarden bench`: the capacity of this machine with a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.support.places import names_configuration
from edge.commands.support.printing.terminal import heading, paragraph

if TYPE_CHECKING:
    from config.schema import Configuration
    from edge.capacity.machine import Measured

SHARE = 0.5
"""Share of a core allotted to readings; the rest is for bursts, the broker and other processes."""

SHORTEST_S = 1.0

DAY_S = 86_400

ENOUGH_IN_FLIGHT = 1000
"""Number of messages processed together at minimum cost per message."""


@click.command()
@names_configuration
@click.option(
    "--sensors", type=click.IntRange(1), default=1000, show_default=True, help="Number of sensors of the plant."
)
@click.option(
    "--interval",
    type=click.FloatRange(0.001),
    default=1.0,
    show_default=True,
    help="Seconds between a sensor's readings.",
)
@click.option(
    "--seconds", type=click.FloatRange(SHORTEST_S), default=5.0, show_default=True, help="Seconds for each measurement."
)
@click.option("--json", "as_json", is_flag=True, help="Write the figures as one line of JSON.")
def bench(path: Path | None, sensors: int, interval: float, seconds: float, as_json: bool) -> None:
    """Measure the capacity of this machine with the configuration at PATH, or with the defaults.

    Readings of a simulated plant pass through the service's own loop, detectors and store, on the disk of the
    configured store; only the network is absent. Prints the number of sensors and readings per second that this machine
    supports, the memory used, and the bytes written to disk per day. Existing files aren't changed.
    """
    from edge.capacity import machine  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.shell.service.assembly.parts import load_or_default  # noqa: PLC0415

    with explained():
        configuration = load_or_default(path)
        sensors = min(sensors, configuration.limits.sensors)
        with machine.folder_for(configuration) as name:
            folder = Path(name)
            measured = machine.measure(configuration, sensors, sensors / interval, folder, seconds)
    if as_json:
        import msgspec  # noqa: PLC0415

        click.echo(msgspec.json.encode(measured).decode())
        return
    _say_costs(measured)
    _say_capacity(measured, interval)
    _say_advice(measured, configuration)


def _say_costs(measured: Measured) -> None:
    costs = measured.costs
    heading("What a reading costs, in microseconds")
    for words, cost in (
        ("from bytes to messages, and their acknowledgements", costs.link),
        ("decoding and admission", costs.decode),
        ("detectors and incidents", costs.detect),
        ("packing and storing", costs.store),
        ("waiting for the disk", costs.store_waits),
        ("the whole line at this plant's pace, without the network", measured.asked.cpu_us),
        ("the whole line with readings always waiting", measured.busy.cpu_us),
    ):
        click.echo(f"  {cost:9.2f}  {words}")


def _say_capacity(measured: Measured, interval: float) -> None:
    costs, busy, asked = measured.costs, measured.busy, measured.asked
    heading("What this machine carries")
    rate = SHARE * 1e6 / (max(busy.cpu_us, busy.wall_us) + costs.link)
    paragraph(
        f"{rate:,.0f} readings a second on {SHARE:.0%} of a core: "
        f"{rate * interval:,.0f} sensors with a reading each {interval:g} s."
    )
    load = asked.cpu_s / asked.plant_s + 1e-6 * costs.link * measured.rate
    paragraph(f"{measured.sensors:,} sensors with a reading each {interval:g} s take {load:.1%} of a core.")
    if asked.memory_mib is not None and measured.memory_mib is not None:
        paragraph(
            f"Memory: {measured.memory_mib:.0f} MiB before the first sensor, and {asked.memory_mib:.0f} MiB for "
            f"{measured.sensors:,} sensors."
        )
    if asked.written is not None:
        day = asked.written / asked.plant_s * DAY_S
        paragraph(f"To the disk: {day / 1e6:,.0f} MB a day, {asked.written / asked.readings:,.0f} bytes a reading.")


def _say_advice(measured: Measured, configuration: Configuration) -> None:
    """Name the most expensive setting if it is too small: each window of messages is a commit."""
    in_flight = configuration.broker.in_flight
    wanted = measured.rate * configuration.store.commit_s
    if in_flight < min(wanted, ENOUGH_IN_FLIGHT):
        heading("What would help")
        paragraph(
            f"broker.in_flight is {in_flight}: the broker sends so many messages before one is acknowledged, and none "
            f"is before it is stored, so {in_flight} readings at most are handled together. Raise it to "
            f"{ENOUGH_IN_FLIGHT}, together with the broker's own limit (mosquitto: max_inflight_messages), and measure "
            "again."
        )
