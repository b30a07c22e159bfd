"""Records handled events, because services and gateways deliver events at least once.

An event is claimed before it is handled, and marked as done afterwards. A claim that was never marked, because the
function timed out or ended, lapses, and the event is handled again: at least once, and exactly once in all other cases.

Source: the pattern of AWS Lambda Powertools' "Idempotency"; DynamoDB Developer Guide, "Conditional writes".
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum
from typing import Any

KEPT_S = 7 * 86_400
"""Time for which a handled event is remembered, in seconds."""

REMEMBERED = 10_000
"""Maximum number of events remembered in memory."""


class Claim(Enum):
    """The result of claiming an event."""

    OURS = "handle it"
    DONE = "it was handled before"
    BUSY = "another invocation is handling it right now"


class Once(ABC):
    """Records handled events."""

    @abstractmethod
    def claim(self, event: str, lapses_s: float) -> Claim:
        """Claim an event.

        Args:
            event: An identifier that is unique across gateways.
            lapses_s: Seconds after which the claim lapses unless it is marked as done.
        """

    @abstractmethod
    def done(self, event: str) -> None:
        """Mark a claimed event as handled."""

    @abstractmethod
    def release(self, event: str) -> None:
        """Release a claim because handling the event failed."""


class InMemory(Once):
    """Remembers the latest events of this execution environment only."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._done: OrderedDict[str, None] = OrderedDict()
        self._most = most

    def claim(self, event: str, lapses_s: float) -> Claim:  # noqa: ARG002 - an environment handles one at a time
        """See `Once`."""
        return Claim.DONE if event in self._done else Claim.OURS

    def done(self, event: str) -> None:
        """See `Once`."""
        self._done[event] = None
        if len(self._done) > self._most:
            self._done.popitem(last=False)

    def release(self, event: str) -> None:
        """See `Once`."""


class InDynamoDB(Once):
    """Remembers events in a DynamoDB table with the string key `id`, whose time to live is the attribute `expires`.

    Args:
        table: boto3's resource for the table.
        clock: Seconds since the epoch.
    """

    def __init__(self, table: Any, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock

    def claim(self, event: str, lapses_s: float) -> Claim:
        """See `Once`."""
        now = self._clock()
        try:
            self._table.put_item(
                Item={
                    "id": event,
                    "done": False,
                    "lapses": round((now + lapses_s) * 1000),
                    "expires": int(now + KEPT_S),
                },
                ConditionExpression="attribute_not_exists(id) OR (done = :no AND lapses < :now)",
                ExpressionAttributeValues={":no": False, ":now": round(now * 1000)},
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            found = self._table.get_item(Key={"id": event}, ConsistentRead=True).get("Item", {})
            return Claim.DONE if found.get("done") else Claim.BUSY
        return Claim.OURS

    def done(self, event: str) -> None:
        """See `Once`."""
        self._table.put_item(Item={"id": event, "done": True, "expires": int(self._clock() + KEPT_S)})

    def release(self, event: str) -> None:
        """See `Once`."""
        self._table.delete_item(Key={"id": event})
