"""The broker's in-flight window: how many messages it sends without an acknowledgement, inferred from its pauses.

With MQTT 5 the client sets a maximum, but the broker may send fewer; with 3.1.1 the number is unknown. A broker whose
window is full stops sending, and arriving messages may overflow its queue. The window is therefore assumed to be as
small as in common brokers, and probed: a due group waits for one message more than the window. If it arrives, or if the
broker doesn't continue immediately after the acknowledgement, the window is larger.

Conversely, a broker that pauses with fewer messages and continues as soon as they are acknowledged has a smaller
window. Plants do the same by chance, so such a pause counts only after several occurrences with the same number of
messages. While it is suspected, the commit that ends it is early, at a time that matches no plant's rhythm.
"""

from __future__ import annotations

FILLED = 0.75
"""Share of the window that makes a group due."""

AT_ONCE_S = 0.1
"""A message that arrives this soon after an acknowledgement was waiting for it."""

QUIET_S = 0.4
"""A broker that has sent nothing for this long may be waiting for an acknowledgement."""

BELIEVED = 3
"""Number of consecutive pauses with the same number of messages that establish the window."""

FIRST = 20
"""Initial window: the default of mosquitto."""

UNTOLD = 200
"""Maximum window with MQTT 3.1.1. Unacknowledged messages count towards the broker's queue for the client, which
mosquitto by default limits to 1,000."""

ERRATIC_S = 0.1
"""With MQTT 3.1.1, messages that fill mosquitto's window are acknowledged when nothing has arrived for this long.
Mosquitto 2.0 exceeds its window while messages are queued, and then stops with any number in flight."""

NEXT_PROBE, LAST_PROBE = 8, 4096
"""A confirmed window is probed again after this many commits that it caused, then after twice as many."""

PROBE = 1.5
"""Factor by which a probe waits longer than a suspected pause, so that no plant's rhythm matches both."""


class BrokerWindow:
    """Number of messages that the broker sends without an acknowledgement.

    Args:
        receive_maximum: The maximum sent to the broker with MQTT 5.
        quiet_s: Time without a message after which the broker is assumed to wait.

    Attributes:
        size: Number of messages that it sends, as far as known.
    """

    def __init__(self, receive_maximum: int, quiet_s: float = QUIET_S) -> None:
        self.size = min(receive_maximum, FIRST)
        self._receive_maximum = receive_maximum
        self._most = receive_maximum
        self._is_erratic = False
        self._quiet_s = quiet_s
        self._suspected = 0
        self._seen = 0
        self._filled = 0
        self._probe_after = 1
        self._is_probing = False
        self._paused_with = 0
        self._committed_at = 0.0

    @property
    def assured(self) -> int:
        """Minimum number of messages that the broker sends without an acknowledgement."""
        return min(self.size, FIRST) if self._is_erratic else self.size

    def connected(self, *, is_told: bool) -> None:
        """Record a new connection, and whether it sets the broker's window."""
        self._most = self._receive_maximum if is_told else min(self._receive_maximum, UNTOLD)
        self._is_erratic = not is_told
        self.size = min(self.size, self._most)

    def is_filled(self, unacknowledged: int) -> bool:
        """Whether this number of unacknowledged messages should be acknowledged now."""
        return unacknowledged >= max(1, int(FILLED * self.size)) and not self._is_probing

    def patience_s(self, unacknowledged: int) -> float | None:
        """Time without a message after which to acknowledge, in case the broker is waiting; None for never."""
        if self._is_erratic and unacknowledged >= FILLED * FIRST:
            return ERRATIC_S
        if self._is_probing and unacknowledged:
            return PROBE * self._quiet_s
        is_suspected = 0 < self._seen < BELIEVED and unacknowledged == self._suspected
        return self._quiet_s if is_suspected else None

    def received(self, unacknowledged: int, now: float) -> None:
        """Record received messages.

        Args:
            unacknowledged: Number of unacknowledged messages.
            now: Seconds that never step.
        """
        paused_with, self._paused_with = self._paused_with, 0
        if paused_with:
            self._judge(paused_with, is_stall=now - self._committed_at <= AT_ONCE_S)
        while unacknowledged > self.size < self._most:
            self._enlarge()

    def committed(self, unacknowledged: int, quiet_s: float, now: float) -> None:
        """Record an acknowledgement of messages.

        Args:
            unacknowledged: Number of messages.
            quiet_s: Time without a message when the acknowledgement was decided.
            now: Seconds that never step.
        """
        if unacknowledged == 0:
            return
        self._committed_at = now
        self._paused_with = unacknowledged if quiet_s >= self._quiet_s else 0
        if self.size == self._most:
            return
        if self.is_filled(unacknowledged):
            self._filled += 1
        # A probe goes on while messages keep arriving: without a pause nothing speaks against a larger window.
        self._is_probing = quiet_s < self._quiet_s if self._is_probing else self._filled >= self._probe_after
        if self._is_probing:
            self._filled = 0

    def _judge(self, paused_with: int, *, is_stall: bool) -> None:
        """Learn whether the broker continued immediately after a pause."""
        if not is_stall:
            if paused_with == self._suspected:
                self._suspected = self._seen = 0
            if paused_with >= self.size:
                self._enlarge()
            return
        if paused_with != self._suspected:
            self._suspected, self._seen = paused_with, 0
        self._seen += 1
        if paused_with == self.size:
            self._probe_after = min(max(NEXT_PROBE, 2 * self._probe_after), LAST_PROBE)
        elif self._seen >= BELIEVED and paused_with < self.size:
            self.size = paused_with
            self._probe_after, self._filled = NEXT_PROBE, 0

    def _enlarge(self) -> None:
        """Double the assumed window, and schedule a probe."""
        self.size = min(2 * self.size, self._most)
        self._suspected = self._seen = 0
        self._probe_after = 1
        self._is_probing = self._is_probing and self.size < self._most
