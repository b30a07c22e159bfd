"""The broker's in-flight window: how many messages it sends before one is acknowledged, learned from its pauses.

MQTT 5 tells the broker how many it may send, but it may send fewer, and with 3.1.1 the number is unknown. A broker
whose window is full falls silent, and what comes meanwhile may be more than its queue takes. So the window is taken to
be as small as brokers have it, and probed: a group that is due waits for one message more than the window has. If it
comes, or if the broker doesn't go on at once after the acknowledgement, the window is larger.

Conversely, a broker that falls silent with fewer messages, and continues as soon as they are acknowledged, has a
smaller window. Plants do that too, by chance. So such a pause is believed only after it has come several times with the
same number of messages; while it is suspected, the commit that ends it comes early, at a moment that no plant keeps to.
"""

from __future__ import annotations

FILLED = 0.75
"""The share of the window that makes a group due."""

AT_ONCE_S = 0.1
"""A message that comes so soon after an acknowledgement had been waiting for it."""

QUIET_S = 0.4
"""A broker that has sent nothing for this long may be waiting for an acknowledgement."""

BELIEVED = 3
"""Pauses in a row with the same number of messages, after which it is the window."""

FIRST = 20
"""The window to begin with: that of mosquitto as it is installed."""

UNTOLD = 200
"""The largest window with MQTT 3.1.1. Messages without an acknowledgement count towards the broker's queue for us, of
which mosquitto as installed drops what is beyond a thousand."""

ERRATIC_S = 0.1
"""With MQTT 3.1.1, messages that fill mosquitto's window are acknowledged when nothing has come for this long.
Mosquitto 2.0 sends more than its window while messages wait, and then stops with any number of them under way."""

NEXT_PROBE, LAST_PROBE = 8, 4096
"""A window that a probe has confirmed is probed again after this many commits that it made due, then twice as many."""

PROBE = 1.5
"""A probe waits this many times as long as for a suspected pause, so that no plant's rhythm matches both."""


class BrokerWindow:
    """Number of messages that the broker sends without an acknowledgement.

    Args:
        told: The limit that it is given with MQTT 5.
        quiet_s: For how long nothing must have come for the broker to be taken to wait.

    Attributes:
        size: The number that it sends, as far as known.
    """

    def __init__(self, told: int, quiet_s: float = QUIET_S) -> None:
        self.size = min(told, FIRST)
        self._told = told
        self._most = told
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
        """Number of messages that the broker sends in any case."""
        return min(self.size, FIRST) if self._is_erratic else self.size

    def connected(self, *, is_told: bool) -> None:
        """Record a new connection, and whether it tells the broker its window."""
        self._most = self._told if is_told else min(self._told, UNTOLD)
        self._is_erratic = not is_told
        self.size = min(self.size, self._most)

    def is_filled(self, unacknowledged: int) -> bool:
        """Whether this number of unacknowledged messages should be acknowledged now."""
        return unacknowledged >= max(1, int(FILLED * self.size)) and not self._is_probing

    def patience_s(self, unacknowledged: int) -> float | None:
        """After how long without a message to acknowledge them, to see whether the broker waits; None for never."""
        if self._is_erratic and unacknowledged >= FILLED * FIRST:
            return ERRATIC_S
        if self._is_probing and unacknowledged:
            return PROBE * self._quiet_s
        is_suspected = 0 < self._seen < BELIEVED and unacknowledged == self._suspected
        return self._quiet_s if is_suspected else None

    def received(self, unacknowledged: int, now: float) -> None:
        """Record that messages have come.

        Args:
            unacknowledged: Number of messages waiting for an acknowledgement.
            now: Seconds that never step.
        """
        paused_with, self._paused_with = self._paused_with, 0
        if paused_with:
            self._judge(paused_with, is_stall=now - self._committed_at <= AT_ONCE_S)
        while unacknowledged > self.size < self._most:
            self._enlarge()

    def committed(self, unacknowledged: int, quiet_s: float, now: float) -> None:
        """Record that messages are being acknowledged.

        Args:
            unacknowledged: How many.
            quiet_s: For how long nothing had come when it was decided to acknowledge them.
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
        self._is_probing = not self._is_probing and self._filled >= self._probe_after
        if self._is_probing:
            self._filled = 0

    def _judge(self, paused_with: int, *, is_stall: bool) -> None:
        """Learn from whether the broker went on at once after a pause."""
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
        """Take the window to be twice as large, and soon probe that."""
        self.size = min(2 * self.size, self._most)
        self._suspected = self._seen = 0
        self._probe_after = 1
        self._is_probing = self._is_probing and self.size < self._most
