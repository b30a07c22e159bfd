"""Problems that delay events or readings, as shown in `status` and `health`."""

from __future__ import annotations

from edge.shell.link import ServiceLink
from edge.shell.link.versions.abilities import EFFECTS, QOS_1, WEAKENED
from edge.shell.publishing.publisher import Publisher

MOST = 10
"""Maximum number of refused filters listed."""

Problem = dict[str, object]
"""Under `problem` an identifier that never changes; the other keys depend on it."""


def problems_of(inbound: ServiceLink, outbound: ServiceLink, publisher: Publisher) -> list[Problem]:
    """All current problems.

    Args:
        inbound: The link for readings.
        outbound: The link for events; may be the same.
        publisher: Sends the events.
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
    if publisher.check.namesake:
        problems.append({"problem": "gateway_name_in_use", "client_id": publisher.check.namesake})
    filters = list(inbound.refused_subscriptions.items())
    problems += [{"problem": "subscription_refused", "filter": each, "reason": why} for each, why in filters[:MOST]]
    problems += [lacking(each) for each in outbound.abilities.lacking]
    weakened = inbound.abilities.weakened[:MOST]
    problems += [{"problem": "subscription_weakened", "filter": each, "effect": WEAKENED} for each in weakened]
    for link in {id(each): each for each in (inbound, outbound)}.values():
        if link.reconnecting.has_rival:
            problems.append(
                {
                    "problem": "client_id_in_use",
                    "client_id": link.options.client_id,
                    "certain": link.reconnecting.is_certain,
                },
            )
    return problems


def lacking(what: str) -> Problem:
    """A problem that is due to what the broker doesn't have."""
    return {"problem": "broker_lacks", "what": what, "effect": EFFECTS[what], "delays_events": what == QOS_1}
