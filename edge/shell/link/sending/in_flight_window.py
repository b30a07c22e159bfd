"""The in-flight window: what one connection has sent that the broker or the socket hasn't taken yet.

The publishing thread sends and collects, the network thread notes. Between them is one queue of packet ids;
nothing is looked up before the publishing thread has written down what it sent, so a PUBACK can't be too
early for its token.
"""

from __future__ import annotations

from collections import deque

UNWRITTEN = 1000
"""Publications of QoS 0 that may wait for the socket, at most."""


class InFlightWindow:
    """The messages in flight on one connection.

    Args:
        most: Publications of QoS 1 that may be without a PUBACK.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tokens: dict[int, tuple[int, str]] = {}
        self._refused: list[tuple[int, str, str]] = []
        self._unwritten: set[int] = set()
        self._noted: deque[tuple[int, str]] = deque()

    @property
    def waits_for_answers(self) -> bool:
        """Whether publications of QoS 1 are without a PUBACK."""
        return bool(self._tokens)

    def has_room(self, qos: int) -> bool:
        """Whether one more may be sent with this quality of service."""
        return len(self._tokens) < self._most if qos > 0 else len(self._unwritten) < UNWRITTEN

    def sent(self, packet: int, qos: int, token: int, topic: str = "") -> None:
        """Write down that a packet was handed to the socket, and the token that stands for it."""
        if qos > 0:
            self._tokens[packet] = token, topic
        else:
            self._unwritten.add(packet)

    def note(self, packet: int, refused: str = "") -> None:
        """Note, in the network thread, that the broker has answered, or that a QoS 0 packet is written.

        Args:
            packet: The packet's id.
            refused: Why the broker refuses the publication; empty if it doesn't.
        """
        self._noted.append((packet, refused))

    def collect(self) -> list[int]:
        """Take what was noted out of the window, and return the tokens that the broker has confirmed.

        Packet ids start over after 65,535, with both qualities of service. Where one of QoS 0 has the id of
        an older one of QoS 1, what is noted first goes to the former, so that nothing is confirmed too
        early.
        """
        confirmed = []
        while self._noted:
            packet, refused = self._noted.popleft()
            if packet in self._unwritten:
                self._unwritten.remove(packet)
                continue
            token, topic = self._tokens.pop(packet, (None, ""))
            if token is None:
                continue
            if refused:
                self._refused.append((token, topic, refused))
            else:
                confirmed.append(token)
        return confirmed

    def take_refused(self) -> list[tuple[int, str, str]]:
        """Token, topic and reason of what the broker has refused, as far as `collect()` has found it."""
        refused, self._refused = self._refused, []
        return refused
