"""The entry point: `cloud.aws_lambda.handler.lambda_handler`.

It is configured by environment variables:

    EDGEWARDEN_FUNCTION     `module:function`, called with each event: an `IncidentEvent`, a `GapEvent`
                            or a `SensorsEvent`
    EDGEWARDEN_TABLE        name of a DynamoDB table that remembers which events were handled; without it, the memory of
                            an execution environment does, and repetitions that meet another one are handled again

If the function raises for an event, its source delivers it again; later events in its shard, partition or group wait
for it. A record that isn't an event is logged and skipped.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from cloud.aws_lambda.event import AnyEvent, NotAnEventError, read_event
from cloud.aws_lambda.once import Claim, InDynamoDB, InMemory, Once
from cloud.aws_lambda.sources import Invocation, Record, source_of

log = logging.getLogger("edgewarden.lambda")

FUNCTION = "EDGEWARDEN_FUNCTION"
TABLE = "EDGEWARDEN_TABLE"
LEFT_S = 30.0
"""Duration of a claim if the remaining time is unknown."""

Function = Callable[[AnyEvent], object]


class HandlingError(Exception):
    """Events failed, and their source accepts only the failure of the whole invocation."""


class MisconfiguredError(Exception):
    """An environment variable is missing or wrong."""


def lambda_handler(invocation: Any, context: Any) -> dict[str, Any]:
    """Pass the events of an invocation to the configured function; called by Lambda.

    Returns:
        The response for the source: the failed records.

    Raises:
        MisconfiguredError: An environment variable is missing or wrong.
        UnknownSourceError: The invocation is from an unknown source.
        HandlingError: Events failed, and the source accepts no partial failures.
    """
    return handle(invocation, configured_function(), configured_memory(), seconds_left(context))


def handle(invocation: Invocation, function: Function, once: Once, left_s: float = LEFT_S) -> dict[str, Any]:
    """Pass the events of an invocation to a function; see `lambda_handler()`.

    Args:
        invocation: The event passed by Lambda.
        function: Called with each event not handled before, in order within a lane.
        once: Records handled events.
        left_s: Seconds until Lambda ends this invocation, after which claims lapse.
    """
    source = source_of(invocation)
    failed: list[Any] = []
    blocked: set[str] = set()
    counts: Counter[str] = Counter()
    for record in source.records(invocation):
        if record.lane in blocked:
            counts["waiting"] += 1
            if source.reports != "first":
                failed.append(record.identifier)
            continue
        outcome = handle_record(record, function, once, left_s)
        counts[outcome] += 1
        if outcome in {"failed", "busy"}:
            failed.append(record.identifier)
            if record.lane:
                blocked.add(record.lane)
    log.info(
        "invocation source=%s %s", source.name, " ".join(f"{name}={count}" for name, count in sorted(counts.items()))
    )
    if source.reports == "none":
        if failed:
            raise HandlingError(f"{len(failed)} events of {source.name} failed; the whole batch is delivered again")
        return {}
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def handle_record(record: Record, function: Function, once: Once, left_s: float) -> str:
    """Handle a record; returns the outcome as a word for the log."""
    try:
        event = read_event(record.payload, record.headers)
    except NotAnEventError as error:
        log.warning("not_an_event record=%s reason=%s", record.identifier, error)
        return "not_an_event"
    identity = f"{event.source} {event.id}"
    claim = once.claim(identity, left_s)
    if claim is not Claim.OURS:
        return "repeated" if claim is Claim.DONE else "busy"
    try:
        function(event)
    except Exception:  # the function is the user's; whatever it raises, the event must be delivered again
        log.exception("failed event=%s", identity)
        once.release(identity)
        return "failed"
    once.done(identity)
    return "handled"


@cache
def configured_function() -> Function:
    """The configured function.

    Raises:
        MisconfiguredError: None is configured, or it can't be imported.
    """
    module, colon, name = os.environ.get(FUNCTION, "").partition(":")
    if not (module and colon and name):
        raise MisconfiguredError(f"{FUNCTION} must be module:function, and is {os.environ.get(FUNCTION)!r}")
    try:
        found: Function = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise MisconfiguredError(f"{FUNCTION}: {error}") from error
    if not callable(found):
        raise MisconfiguredError(f"{FUNCTION}: {module}:{name} can't be called")
    return found


@cache
def configured_memory() -> Once:
    """The configured record of handled events.

    Raises:
        MisconfiguredError: A table is configured, and boto3 is missing.
    """
    table = os.environ.get(TABLE)
    if not table:
        return InMemory()
    try:
        import boto3  # noqa: PLC0415 - only where a table is named
    except ImportError as error:
        raise MisconfiguredError(f"{TABLE} needs a package: pip install 'edgewarden[aws]'") from error
    return InDynamoDB(boto3.resource("dynamodb").Table(table))


def seconds_left(context: Any) -> float:
    """Seconds remaining for the invocation."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left() / 1000 if callable(left) else LEFT_S
