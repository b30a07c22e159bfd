"""What discovery proposes for messages, and the readings that its inputs produce."""

from __future__ import annotations

import json
from typing import Any

from config.gateway_topics import GatewayTopics
from edge.core.model.readings.messages import Message
from edge.discovery.collecting import CollectedMessages
from edge.discovery.outcome import outcome_of
from edge.discovery.proposing import Proposal, propose

NOW = 1_700_000_060.0


def heard(*messages: tuple[str, object]) -> CollectedMessages:
    collected = CollectedMessages()
    for place, (topic, payload) in enumerate(messages):
        text = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        collected.add(Message(topic, text if isinstance(text, bytes) else text.encode(), NOW + place))
    return collected


def proposed(*messages: tuple[str, object]) -> tuple[Proposal, dict[str, float]]:
    """The proposal, and the last values of the sensors that it produces."""
    collected = heard(*messages)
    proposal = propose(collected, GatewayTopics("edgewarden/{gateway}", "gw"), "edgewarden/gw")
    outcome = outcome_of(proposal.inputs, collected.in_order()) if proposal.inputs else None
    return proposal, {} if outcome is None else {each.name: each.sample for each in outcome.sensors}


def inputs(*messages: tuple[str, object]) -> list[dict[str, Any]]:
    return proposed(*messages)[0].inputs
