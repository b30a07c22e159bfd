"""The broker's in-flight window: how many messages it sends before one is acknowledged, learned from its pauses.

MQTT 5 tells the broker how many it may send, but it may send fewer, and with 3.1.1 nobody says: `USUAL` is assumed. A
broker whose window is full falls silent, and goes on as soon as something is acknowledged. Plants do that too, by
chance, so:

- a pause is believed only after it has come several times with the same number of messages, or with many more, as
  mosquitto exceeds its window when there is a backlog. While it is suspected, the commit that ends it comes early, at
  a moment that no plant keeps to;
- a window that was learned or assumed is probed now and then: the group waits for one message more than the window has.
  If it comes, or if the broker doesn't go on at once after the acknowledgement, the window was too small. So it was if
  several groups in a row had more than it; but not of a broker that isn't told, which may only have a backlog.
"""

from __future__ import annotations

FILLED = 0.75
"""The share of the window that makes a group due."""

AT_ONCE_S = 0.1
"""A message that comes so soon after an acknowledgement had been waiting for it."""

QUIET_S = 0.4
"""A broker that has sent nothing for so long may be waiting for an acknowledgement."""

BELIEVED = 3
"""Pauses in a row after which there is a window, or groups in a row after which it is larger."""

EXCEEDED = 2
"""A pause with so many times the messages shows the same window, exceeded."""

USUAL = 20
"""What a broker has that isn't told, until more is known: mosquitto's default."""

FIRST_PROBE, LAST_PROBE = 8, 4096
"""A learned window is probed after so many commits that it made due; then after twice as many, up to the other."""


class BrokerWindow:
    """How many messages the broker sends without an acknowledgement.

    Args:
        told: How many it may send, as it was told or as the operator says.
        quiet_s: For how long nothing must have come for the broker to be taken to wait.

    Attributes:
        size: How many it sends, as far as is known.
    """

    def __init__(self, told: int, quiet_s: float = QUIET_S) -> None:
        self.size = told
        self._told = told
        self._quiet_s = quiet_s
        self._suspected = 0
        self._seen = 0
        self._exceeded = 0
        self._is_exceeded = False
        self._is_untold = False
        self._filled = 0
        self._probe_after = FIRST_PROBE
        self._is_probing = False
        self._paused_with = 0
        self._committed_at = 0.0

    def untold(self) -> None:
        """Take note that the broker speaks MQTT 3.1.1, and so can't be told; what is known already stays known."""
        if not self._is_untold:
            self._is_untold = True
            self.size = min(self.size, USUAL)

    def is_filled(self, unacknowledged: int) -> bool:
        """Whether so many messages without an acknowledgement should be acknowledged now."""
        return unacknowledged >= max(1, int(FILLED * self.size)) and not self._is_probing

    def patience_s(self, unacknowledged: int) -> float | None:
        """After how long without a message to acknowledge them, to see whether the broker waits; None for never."""
        is_test = self._is_probing or (0 < self._seen < BELIEVED and unacknowledged >= self._suspected)
        return self._quiet_s if is_test and unacknowledged else None

    def received(self, unacknowledged: int, now: float) -> None:
        """Take note that messages have come.

        Args:
            unacknowledged: How many wait for an acknowledgement by now.
            now: Seconds that never step.
        """
        paused_with, self._paused_with = self._paused_with, 0
        if paused_with:
            self._judge(paused_with, is_stall=now - self._committed_at <= AT_ONCE_S)
        if unacknowledged > self.size:
            self._is_exceeded = True
            if self._is_probing:
                self._forget()

    def committed(self, unacknowledged: int, quiet_s: float, now: float) -> None:
        """Take note that messages are being acknowledged.

        Args:
            unacknowledged: How many.
            quiet_s: For how long nothing had come when it was decided to acknowledge them.
            now: Seconds that never step.
        """
        if unacknowledged == 0:
            return
        self._committed_at = now
        self._exceeded, self._is_exceeded = self._exceeded + 1 if self._is_exceeded else 0, False
        exceeded = self._exceeded > 0
        if self._exceeded >= BELIEVED and not self._is_untold:
            self._forget()
        self._paused_with = unacknowledged if quiet_s >= self._quiet_s else 0
        if self.size == self._told:
            return
        if self.is_filled(unacknowledged):
            self._filled = 0 if exceeded and self._is_untold else self._filled + 1
        self._is_probing = not self._is_probing and self._filled >= self._probe_after and not exceeded
        if self._is_probing:
            self._filled = 0

    def _judge(self, paused_with: int, *, is_stall: bool) -> None:
        """Learn from whether the broker went on at once after a pause."""
        if not is_stall:
            if paused_with >= self._suspected:
                self._suspected = self._seen = 0
            if paused_with >= self.size:
                self._forget()
            return
        if paused_with != self._suspected and (self._seen == 0 or paused_with < EXCEEDED * self._suspected):
            self._suspected, self._seen = paused_with, 0
        self._seen += 1
        if paused_with == self.size:
            self._probe_after = min(2 * self._probe_after, LAST_PROBE)
        elif self._seen >= BELIEVED and self._suspected < self.size:
            self.size = self._suspected
            self._probe_after, self._filled = FIRST_PROBE, 0

    def _forget(self) -> None:
        """Go back to what the broker was told: it sends more than was learned."""
        self.size = self._told
        self._suspected = self._seen = self._exceeded = 0
        self._is_exceeded = self._is_probing = False
