"""Nodes: state from the birth certificates of edge nodes and their devices, bounded in bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from edge.core.intake.decoders.documents.paths import level
from edge.core.intake.decoders.sparkplug import is_bookkeeping
from edge.core.intake.sparkplug.sequence import Sequence
from edge.core.model.bounded_cache import size_of
from edge.core.model.packing.encoding import decode, encode

MOST_BYTES = 48 * 2**20
"""Maximum size of the state of all nodes; a birth certificate beyond it is refused."""

METRIC_BYTES, MEMBER_BYTES, NODE_BYTES = 500, 700, 900
"""Memory of a metric, a device and a node in addition to their texts."""

NodeKey = tuple[str, str]
"""A node's group and name."""

Defined = tuple[str, int, int, str]
"""A metric defined by a birth certificate: name, alias, datatype, unit; -1 for a number that isn't given.

The name is empty if it isn't usable for a sensor.
"""

Births = tuple[str, list[Defined] | None]
"""A device, or the empty string for the node itself, and its metrics; None after its death."""

NodeState = tuple[NodeKey, int, int, list[int], float, float, list[Births]]
"""A node: key, `bd_seq`, last sequence number, missing sequence numbers, when waiting for them ends, `present`, and
births.

-1 stands for an unknown number.
"""


class BornMetric(NamedTuple):
    """A metric defined by a birth certificate.

    Attributes:
        name: Its name.
        path: Its path, see `path_of()`; empty if it is never a sensor.
        datatype: Numbered as in the specification; None if not given.
    """

    name: str
    path: str
    datatype: int | None


class BornMember:
    """A node or device as defined by its birth certificate.

    Args:
        prefix: Prefix of its metrics' paths.
        defined: Its metrics.

    Attributes:
        defined: Its metrics.
        by_alias: Metrics by alias; None for an ambiguous alias.
        by_name: Metrics by name.
        units: Units by path, where given.
        size: Memory in bytes.
    """

    __slots__ = ("by_alias", "by_name", "defined", "size", "units")

    def __init__(self, prefix: str, defined: list[Defined]) -> None:
        self.defined = defined
        self.by_alias: dict[int | None, BornMetric | None] = {}
        self.by_name: dict[str, BornMetric] = {}
        self.units: dict[str, str] = {}
        for name, alias, datatype, unit in defined:
            path = "" if not name or is_bookkeeping(name) else path_of(prefix, name)
            known = BornMetric(name, path, None if datatype < 0 else datatype)
            if name:
                self.by_name[name] = known
            if unit and path:
                self.units[known.path] = unit
            if alias >= 0:
                is_clear = self.by_alias.setdefault(alias, known) == known
                self.by_alias[alias] = known if is_clear else None
        names = sum(2 * size_of(name) + len(prefix) + size_of(unit) for name, _, _, unit in defined)
        self.size = MEMBER_BYTES + METRIC_BYTES * len(defined) + names


class Node:
    """An edge node.

    Attributes:
        key: Its group and its name.
        members: Members that were born and haven't died: devices by name, the node itself as the empty string.
        sequence: Its sequence numbers.
        bd_seq: Birth/death sequence number of its last birth certificate; None if it has none.
        present: Latest time of a present (not historical) value, seconds since the epoch.
        asks: Whether a rebirth may be requested.
        untold: Members born or dead since the last journal entry.
    """

    __slots__ = ("asks", "bd_seq", "key", "members", "present", "sequence", "untold")

    def __init__(self, key: NodeKey) -> None:
        self.key = key
        self.members: dict[str, BornMember] = {}
        self.untold: set[str] = set()
        self.clear()

    def clear(self) -> None:
        """Forget everything except the members."""
        self.sequence = Sequence()
        self.bd_seq: int | None = None
        self.present = -math.inf
        self.asks = False

    def state(self, devices: Iterable[str]) -> NodeState:
        """The state of the node and the named members."""
        sequence = self.sequence
        births = [(each, self.members[each].defined if each in self.members else None) for each in sorted(devices)]
        bd_seq, last = [-1 if each is None else each for each in (self.bd_seq, sequence.last)]
        return (self.key, bd_seq, last, sorted(sequence.missing), sequence.due, self.present, births)


class Nodes:
    """All nodes that are alive, or have a device that is.

    Attributes:
        size: Memory in bytes.
    """

    def __init__(self) -> None:
        self._nodes: dict[NodeKey, Node] = {}
        self._changed: dict[NodeKey, Node] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def find(self, key: NodeKey) -> Node | None:
        """A node; None if it isn't known."""
        return self._nodes.get(key)

    def has_room(self, key: NodeKey, device: str, member: BornMember) -> bool:
        """Whether there is room for a birth certificate in place of those that it ends."""
        node = self._nodes.get(key)
        ended = [] if node is None else [each for name, each in node.members.items() if not device or name == device]
        grows = member.size + (NODE_BYTES + size_of(*key) if node is None else 0)
        return self.size + grows - sum(each.size for each in ended) <= MOST_BYTES

    def born(self, key: NodeKey, device: str, member: BornMember) -> Node:
        """Store a birth certificate; a node's birth ends those of its devices."""
        node = self._nodes.get(key) or self._add(key)
        for each in () if device else list(node.members):
            self._replace(node, each, None)
        self._replace(node, device, member)
        return node

    def died(self, node: Node, device: str = "") -> None:
        """Forget a device, or a node with all its devices."""
        for each in [device] if device else list(node.members):
            self._replace(node, each, None)
        self._drop_if_empty(node)

    def noted(self, node: Node) -> None:
        """Mark a node as changed, so that it is journaled."""
        self._changed[node.key] = node

    def take_changes(self) -> list[NodeState]:
        """The nodes changed since the last call, for `note_all()`."""
        if not self._changed:
            return []
        changes = [node.state(node.untold) for node in self._changed.values()]
        for node in self._changed.values():
            node.untold = set()
        self._changed = {}
        return changes

    def note_all(self, changes: Iterable[NodeState]) -> None:
        """Apply journaled node states."""
        for key, bd_seq, last, missing, due, present, births in changes:
            node = self._nodes.get(key) or self._add(key)
            node.bd_seq = None if bd_seq < 0 else bd_seq
            node.sequence = Sequence(None if last < 0 else last, missing, due)
            node.present = present
            for device, defined in births:
                member = None if defined is None else BornMember(prefix_of(key, device), defined)
                self._replace(node, device, member)
            self._drop_if_empty(node)
        self.take_changes()

    def state(self) -> bytes:
        """The complete state, for `load()`."""
        return encode([self._nodes[key].state(self._nodes[key].members) for key in sorted(self._nodes)])

    def load(self, state: bytes) -> None:
        """Load the result of `state()`.

        Raises:
            StateError: It can't be read.
        """
        nodes = decode(state, list[NodeState])
        self._nodes, self._changed, self.size = {}, {}, 0
        self.note_all(nodes)

    def _add(self, key: NodeKey) -> Node:
        node = self._nodes[key] = self._changed.get(key) or Node(key)
        self.size += NODE_BYTES + size_of(*key)
        return node

    def _drop_if_empty(self, node: Node) -> None:
        if not node.members and self._nodes.pop(node.key, None) is not None:
            self.size -= NODE_BYTES + size_of(*node.key)
            node.clear()

    def _replace(self, node: Node, device: str, member: BornMember | None) -> None:
        before = node.members.pop(device, None)
        self.size -= 0 if before is None else before.size
        if member is not None:
            node.members[device] = member
            self.size += member.size
        node.untold.add(device)
        self.noted(node)


def prefix_of(node: NodeKey, device: str) -> str:
    """Path prefix of a node's or a device's metrics."""
    return "/".join((*node, device) if device else node)


def path_of(prefix: str, metric: str) -> str:
    """The path of a metric; a slash in its name is distinguished from the level separators."""
    return f"{prefix}/{level(metric)}"
