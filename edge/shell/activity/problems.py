"""Problems that keep events from getting out or readings from coming in, as shown in `status` and `health`."""

from __future__ import annotations

from edge.shell.link import Link
from edge.shell.publishing.publisher import Publisher

MOST = 10
"""Refused filters that are listed."""

Problem = dict[str, object]
"""Under `problem` a word that never changes; what else there is depends on it."""


def problems_of(inbound: Link, outbound: Link, publisher: Publisher) -> list[Problem]:
    """All problems there are at present.

    Args:
        inbound: The link that readings come from.
        outbound: The link that events go to; may be the same.
        publisher: Sends them.
    """
    problems: list[Problem] = []
    refused = publisher.refused.topics
    if refused:
        topic, reason = next(iter(refused.items()))
        problems.append(
            {"problem": "publications_refused", "topic": topic, "reason": reason, "topics": len(refused)},
        )
    if publisher.check.missing_since is not None:
        problems.append({"problem": "delivery_unconfirmed"})
    filters = list(inbound.refused_subscriptions.items())
    problems += [{"problem": "subscription_refused", "filter": each, "reason": why} for each, why in filters[:MOST]]
    for link in {id(each): each for each in (inbound, outbound)}.values():
        if link.reconnecting.has_rival:
            problems.append({"problem": "client_id_in_use", "client_id": link.options.client_id})
    return problems
