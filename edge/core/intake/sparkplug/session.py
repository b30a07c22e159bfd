"""The session of a host application with all edge nodes: converts their messages to samples.

NBIRTH, DBIRTH   names, aliases, datatypes and units, and what everything is now
NDATA, DDATA     what has changed, by alias or name
NDEATH, DDEATH   a node with all its devices, or a device, is gone

The effects of a message are recorded when the next one is read, or by `settle()`: until then the message may be put
back because its times are undecided, and be read again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.core.intake.availability import Presence
from edge.core.intake.decoders.base import Decoded
from edge.core.intake.decoders.records.sparkplug_payload import Payload, number_of, read_payload
from edge.core.intake.decoders.sparkplug import BIRTH_AND_DEATH, SparkplugDecoder
from edge.core.intake.sparkplug.metrics import LATEST_MS, MetricReader, definitions
from edge.core.intake.sparkplug.nodes import BornMember, Node, NodeKey, Nodes, prefix_of
from edge.core.intake.sparkplug.rebirths import Rebirths, Request
from edge.core.intake.sparkplug.sequence import sequence_number
from edge.core.model.readings.messages import Message, Refused

NAMESPACE = "spBv1.0"
KINDS = frozenset({"NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"})
COMMANDS = frozenset({"NCMD", "DCMD"})
AGAIN_S = 1.0
"""Delay before retrying a rebirth request that exceeded the rate limit."""


class TopicSender(NamedTuple):
    """The sender of a message, from its topic.

    Attributes:
        kind: Message type, a word of `KINDS` or `COMMANDS`.
        node: Group and name of the node.
        device: The device; empty for the node itself.
    """

    kind: str
    node: NodeKey
    device: str


def sender_of(topic: str) -> TopicSender | None:
    """The sender of a message; None for a host application's state message.

    Raises:
        Refused: It isn't a Sparkplug B topic.
    """
    levels = topic.split("/")
    if levels[:2] == [NAMESPACE, "STATE"]:
        return None
    if len(levels) in {4, 5} and levels[0] == NAMESPACE and all(levels) and topic.isprintable():
        kind, device = levels[2], levels[4] if len(levels) == 5 else ""
        if kind in KINDS | COMMANDS and kind.startswith("D") == bool(device):
            return TopicSender(kind, (levels[1], levels[3]), device)
    raise Refused(
        "malformed", f"not a topic of Sparkplug B, {NAMESPACE}/group/type/node or {NAMESPACE}/group/type/node/device"
    )


class Session:
    """Tracks births and requests missing ones.

    Attributes:
        nodes: State from birth certificates.
    """

    def __init__(self) -> None:
        self.nodes = Nodes()
        self._rebirths = Rebirths()
        self._arrived = math.nan  # when the last message of any kind did
        self._waiting: dict[NodeKey, Node] = {}
        self._accept: Callable[[], None] | None = None

    def read(self, message: Message, decoder: SparkplugDecoder) -> Decoded:
        """The contents of a message.

        Raises:
            Refused: Nothing in it can be used.
        """
        self._accept_last()
        sender = sender_of(message.topic)
        if sender is None or sender.kind in COMMANDS:
            return Decoded([], [])
        if message.retained:
            raise Refused("retained")
        payload = read_payload(message.payload)
        if len(payload.metrics) > decoder.readings:
            raise Refused("too_many_readings", f"{len(payload.metrics)} metrics")
        if sender.kind.endswith("BIRTH"):
            return self._birth(sender, payload, message.arrived, decoder)
        if sender.kind.endswith("DEATH"):
            return self._death(sender, payload, message.arrived, decoder)
        return self._data(sender, payload, message.arrived, decoder)

    def put_back(self) -> None:
        """Discard the effects of the last message, which will be read again."""
        self._accept = None

    def settle(self, messages: Sequence[Message]) -> None:
        """Record the effects of messages that can no longer be put back."""
        self._accept_last()
        self._arrived = messages[-1].arrived if messages else self._arrived

    def pass_time(self, elapsed_s: float) -> None:
        """Request rebirths from nodes whose missing messages didn't arrive in time."""
        if not self._waiting:
            return
        now = self._arrived + elapsed_s
        for node in [each for each in self._waiting.values() if each.sequence.due <= now]:
            self._wait_no_longer(node, now)

    def clock_stepped(self, by: float) -> None:
        """Handle a step of the gateway's clock by `by` seconds."""
        self._arrived += by
        for node in self._waiting.values():
            node.sequence.due += by

    def requests(self) -> list[Request]:
        """The requests to publish since the last call."""
        requests, self._rebirths.requests = self._rebirths.requests, []
        return requests

    def state(self) -> bytes:
        """The state from birth certificates, for `load()`."""
        return self.nodes.state()

    def load(self, state: bytes) -> None:
        """Load the result of `state()`.

        Raises:
            StateError: It can't be read.
        """
        self.nodes.load(state)

    def _accept_last(self) -> None:
        accept, self._accept = self._accept, None
        if accept is not None:
            accept()

    def _birth(self, sender: TopicSender, payload: Payload, arrived: float, decoder: SparkplugDecoder) -> Decoded:
        prefix = prefix_of(sender.node, sender.device)
        defined, refusals = definitions(payload, prefix)
        member = BornMember(prefix, defined)
        if not self.nodes.has_room(sender.node, sender.device, member):
            raise Refused("too_many_metrics", f"a birth certificate of {len(defined)} metrics")
        reading = MetricReader(payload, decoder, member, prefix, -math.inf)
        reading.take(each for each in payload.metrics if each.name in member.by_name)
        reading.refusals += refusals

        def accept() -> None:
            node = self.nodes.born(sender.node, sender.device, member)
            if sender.device:
                self._note(node, payload, arrived, decoder)
                if "" not in node.members and decoder.rebirth:
                    self._rebirths.ask(sender.node, arrived)
            else:
                node.present = -math.inf
                node.sequence.begin(sequence_number(payload.sequence))
                node.bd_seq = _birth_and_death(payload)
                self._waiting.pop(sender.node, None)
            node.asks = decoder.rebirth
            node.present = max(node.present, min(reading.newest, arrived))

        self._accept = accept
        return reading.decoded()._replace(words=[Presence(prefix, is_there=True)])

    def _death(self, sender: TopicSender, payload: Payload, arrived: float, decoder: SparkplugDecoder) -> Decoded:
        node = self.nodes.find(sender.node)
        if node is not None and not sender.device and is_earlier(_birth_and_death(payload), node.bd_seq):
            raise Refused("stale_death", "the node has been born again since")

        def accept() -> None:
            if node is None:
                return
            if sender.device:
                self._note(node, payload, arrived, decoder)
            else:
                self._waiting.pop(sender.node, None)
            self.nodes.died(node, sender.device)

        self._accept = accept
        return Decoded([], [], words=[Presence(prefix_of(sender.node, sender.device), is_there=False)])

    def _data(self, sender: TopicSender, payload: Payload, arrived: float, decoder: SparkplugDecoder) -> Decoded:
        node = self.nodes.find(sender.node)
        member = None if node is None else node.members.get(sender.device)
        if node is None or member is None:
            if node is not None:
                self._note(node, payload, arrived, decoder)
            if decoder.rebirth:
                self._rebirths.ask(sender.node, arrived)
            raise Refused("no_birth")
        reading = MetricReader(payload, decoder, member, prefix_of(sender.node, sender.device), node.present)
        reading.take(payload.metrics)

        def accept() -> None:
            self._note(node, payload, arrived, decoder)
            node.present = max(node.present, min(reading.newest, arrived))
            if reading.has_unknown and decoder.rebirth:
                self._rebirths.ask(sender.node, arrived)

        self._accept = accept
        return reading.decoded()

    def _note(self, node: Node, payload: Payload, arrived: float, decoder: SparkplugDecoder) -> None:
        """Record a message's sequence number."""
        node.asks = decoder.rebirth
        sequence = node.sequence
        if sequence.due <= arrived:
            self._wait_no_longer(node, arrived)
        sequence.note(sequence_number(payload.sequence), arrived, decoder.gap_s)
        if sequence.due < math.inf:
            self._waiting[node.key] = node
        else:
            self._waiting.pop(node.key, None)
        self.nodes.noted(node)

    def _wait_no_longer(self, node: Node, now: float) -> None:
        if node.asks and not self._rebirths.ask(node.key, now):
            node.sequence.due = now + AGAIN_S
            return
        node.sequence.forgive()
        self._waiting.pop(node.key, None)
        self.nodes.noted(node)


def is_earlier(death: int | None, birth: int | None) -> bool:
    """Whether a death certificate belongs to an earlier birth certificate than the last.

    Numbers wrap from 255 to 0. A death number ahead of the birth number isn't from an earlier session: some nodes
    increment it before they disconnect.

    Args:
        death: Birth/death sequence number of the death certificate; None if it has none.
        birth: That of the last birth certificate.
    """
    if death is None or birth is None:
        return False
    return (death - birth) % 256 > 127


def _birth_and_death(payload: Payload) -> int | None:
    """The birth/death sequence number of a payload; None if there is none."""
    for metric in payload.metrics:
        if metric.name == BIRTH_AND_DEATH:
            number = number_of(metric)
            return int(number) % 256 if number is not None and 0 <= number < LATEST_MS else None
    return None
