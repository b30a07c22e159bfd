"""Detection in Lambda: runs readings from Kinesis or Kafka through cells with state in DynamoDB.

Its handler is `cloud.aws_lambda.detecting.lambda_handler`. It is configured by environment variables:

    EDGEWARDEN_CONFIG       path of the configuration; `gateway.name` is the name of the fleet
    EDGEWARDEN_CELLS        how many cells each shard or partition has, which must not change while the table is used
    EDGEWARDEN_CELL_TABLE   name of the DynamoDB table with their state, string keys `cell` and `part`
    EDGEWARDEN_FUNCTION     `module:function`, called with each event, as by `cloud.aws_lambda.handler`
    EDGEWARDEN_TABLE        as there; without it, an event that is told again by another environment is handled again

A record's partition key, or its key in Kafka, is the MQTT topic of the reading, such as `${topic()}` in an IoT rule,
and its bytes are the payload. A record without a key is logged and skipped. The read position in a shard or partition
is part of the state, so each reading counts exactly once, whatever Lambda delivers again. If the function or the table
fails, the records of the cells concerned are delivered again.

Each shard has its own cells, so that a shard read faster than another makes no sensor of the other look silent. Silence
is detected by means of the other readings of a cell, and therefore not if a whole shard stops.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cloud.aws_lambda.cell_table import CellTable
from cloud.aws_lambda.handler import (
    Function,
    HandlingError,
    MisconfiguredError,
    configured_function,
    configured_memory,
    handle_record,
    seconds_left,
)
from cloud.aws_lambda.logs import LogRecord, is_of_a_log, records_of
from cloud.aws_lambda.once import Once
from cloud.aws_lambda.sources import Record, UnknownSourceError
from edge.core.cells import CellPlan
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Message
from edge.fleet.host import CellHost, LogPortion
from edge.fleet.plan import plan_of
from edge.fleet.store import CellStore, StaleHeadError
from edge.fleet.topics import TopicPlacing
from edge.shell.service.assembly.parts import load_or_default

log = logging.getLogger("edgewarden.lambda")

CONFIG, CELLS, CELL_TABLE = "EDGEWARDEN_CONFIG", "EDGEWARDEN_CELLS", "EDGEWARDEN_CELL_TABLE"
ATTEMPTS = 5
"""Number of attempts to run a cell that another invocation is also running."""

LOGS = 16
"""Maximum number of shards and partitions whose cells an execution environment keeps in memory, the latest ones."""


class Detection:
    """The cells and their host.

    Args:
        plan: The configuration of cells.
        topics: Assigns topics to cells.
        store_of: Returns the store for the cells of a shard or partition, by name.
    """

    def __init__(self, plan: CellPlan, topics: TopicPlacing, store_of: Callable[[str], CellStore]) -> None:
        self.topics = topics
        self._plan = plan
        self._store_of = store_of
        self._hosts: OrderedDict[str, CellHost] = OrderedDict()

    def host(self, log_name: str) -> CellHost:
        """The host of the cells of a shard or partition."""
        host = self._hosts.pop(log_name, None) or CellHost(self._plan, self._store_of(log_name))
        self._hosts[log_name] = host
        if len(self._hosts) > LOGS:
            self._hosts.popitem(last=False)
        return host


def lambda_handler(invocation: Any, context: Any) -> dict[str, Any]:
    """Run detection on the readings of an invocation; called by Lambda.

    Returns:
        The response for the source: the first failed record of each shard or partition.

    Raises:
        MisconfiguredError: An environment variable is missing or wrong.
        UnknownSourceError: The invocation is neither from Kinesis nor from Kafka.
    """
    return detect(invocation, configured_detection(), configured_function(), configured_memory(), seconds_left(context))


def detect(
    invocation: Any, detection: Detection, function: Function, once: Once, left_s: float = 30.0
) -> dict[str, Any]:
    """Run detection on the readings of an invocation; see `lambda_handler()`.

    Args:
        invocation: The event passed by Lambda.
        detection: Runs the cells.
        function: Called with each event.
        once: Records handled events.
        left_s: Seconds until Lambda ends this invocation.
    """

    def tell(events: Sequence[Event]) -> None:
        for each in events:
            outcome = handle_record(Record(each.payload, "", each.id), function, once, left_s)
            if outcome in {"failed", "busy"}:
                raise HandlingError(f"event {each.id}: {outcome}")

    if not is_of_a_log(invocation):
        raise UnknownSourceError("an invocation by neither Kinesis nor Kafka")
    shares, counts = _shared(records_of(invocation), detection.topics)
    failed: dict[str, LogRecord] = {}
    for (name, cell), records in sorted(shares.items()):
        refused = _attempt(detection.host(name), cell, _portion(records), tell)
        counts.update(refused or {"cells_failed": int(refused is None)})
        if refused is None and (name not in failed or records[0].offset < failed[name].offset):
            failed[name] = records[0]
    log.info("readings %s", " ".join(f"{name}={count}" for name, count in sorted(counts.items())))
    return {"batchItemFailures": [{"itemIdentifier": each.identifier} for each in failed.values()]}


Shares = dict[tuple[str, int], list[LogRecord]]
"""The records of each cell, by the name of its shard or partition and its number."""


def _shared(records: Sequence[LogRecord], topics: TopicPlacing) -> tuple[Shares, Counter[str]]:
    """The records of each cell, and the number of skipped ones by reason."""
    shares: Shares = {}
    counts: Counter[str] = Counter()
    for each in records:
        cell = None if each.problem else topics.cell(each.topic)
        if cell is None:
            reason = each.problem or "no_route"
            counts[reason] += 1
            log.warning("left_out log=%s offset=%d reason=%s", each.log, each.offset, reason)
        else:
            shares.setdefault((each.log, cell), []).append(each)
            counts["messages"] += 1
    return shares, counts


def _portion(records: Sequence[LogRecord]) -> LogPortion:
    messages = [Message(each.topic, each.payload, each.arrived) for each in records]
    return LogPortion(records[0].log, [each.offset for each in records], messages)


def _attempt(
    host: CellHost, cell: int, portion: LogPortion, tell: Callable[[Sequence[Event]], None]
) -> Counter[str] | None:
    """Run a cell, retrying if another invocation runs it, too; returns the refusals, or None if it must be repeated."""
    for _ in range(ATTEMPTS):
        try:
            outcome = host.run(cell, [portion], None, tell)
        except StaleHeadError:
            continue
        except (
            Exception
        ):  # the function is the user's, and so is the table; whatever they raise, the records are delivered again
            log.exception("failed cell=%d", cell)
            return None
        for each in outcome.dead_letters:
            log.warning("refused topic=%s reason=%s detail=%s", each.topic, each.refusal.reason, each.refusal.detail)
        return Counter({f"refused_{reason}": count for reason, count in outcome.refused.items()})
    log.warning("failed cell=%d reason='other invocations run it, too'", cell)
    return None


@cache
def configured_detection() -> Detection:
    """Create the cells as configured by the environment.

    Raises:
        MisconfiguredError: A variable is missing or wrong.
    """
    import boto3  # noqa: PLC0415 - only where cells are run

    try:
        cells = int(os.environ.get(CELLS, "1"))
    except ValueError as error:
        raise MisconfiguredError(f"{CELLS} must be a number: {error}") from error
    if cells < 1:
        raise MisconfiguredError(f"{CELLS} must be at least 1, and is {cells}")
    table, path = os.environ.get(CELL_TABLE), os.environ.get(CONFIG)
    if not table or not path:
        raise MisconfiguredError(f"{CELL_TABLE} and {CONFIG} must be set")
    configuration = load_or_default(Path(path))
    plan = plan_of(configuration, cells)
    resource, fleet = boto3.resource("dynamodb").Table(table), configuration.gateway.name
    return Detection(
        plan, TopicPlacing.of(configuration, plan), lambda log_name: CellTable(resource, f"{fleet}/{log_name}")
    )
