"""Counters: every incoming message and reading is counted as taken, or as refused with a reason.

messages received = messages read + messages refused + messages redelivered + messages copied + messages left out
                    + our own messages + commands followed + commands refused
readings found    = readings taken + readings refused + repeats
"""

from __future__ import annotations

from collections import Counter
from copy import copy
from dataclasses import MISSING, dataclass, field, fields


@dataclass(slots=True)
class Counters:
    """Counters since the start.

    Attributes:
        messages: Messages received.
        messages_read: Messages that were decoded, at least in part.
        messages_refused: Messages that couldn't be decoded, by reason.
        messages_own: Messages published by this or another gateway, which a filter such as `#` includes.
        messages_left_out: Messages on topics ignored by `ignore_topics` of an input.
        messages_redelivered: Messages delivered again after they had been processed.
        messages_copied: Messages that the broker delivered for another filter as well.
        commands: Operator commands carried out, now or before.
        commands_refused: Rejected commands, by reason.
        readings: Values found in the decoded messages.
        readings_taken: Values passed to the detectors.
        readings_refused: Refused values, by reason.
        refused_of_inputs: Refused messages and values by topic filter of their input and by reason; an empty filter if
            no input subscribes to them.
        repeats: Unchanged values sent again, for inputs with that option.
        fields_ignored: Non-numeric fields that never were a sensor, fields that an input ignores, and times that have a
            topic of their own.
        devices_unknown: Availability messages of devices without a known sensor.
        same_times: Readings with the time of the previous one and a different value, taken one microsecond later.
        clock_steps: Accepted backward steps of sensors' clocks.
        events: Events by transition.
        dead_letters_suppressed: Dead letters dropped by the rate limit.
    """

    messages: int = 0
    messages_read: int = 0
    messages_refused: Counter[str] = field(default_factory=Counter)
    messages_own: int = 0
    messages_left_out: int = 0
    messages_redelivered: int = 0
    messages_copied: int = 0
    commands: int = 0
    commands_refused: Counter[str] = field(default_factory=Counter)
    readings: int = 0
    readings_taken: int = 0
    readings_refused: Counter[str] = field(default_factory=Counter)
    refused_of_inputs: Counter[tuple[str, str]] = field(default_factory=Counter)
    repeats: int = 0
    fields_ignored: int = 0
    devices_unknown: int = 0
    same_times: int = 0
    clock_steps: int = 0
    events: Counter[str] = field(default_factory=Counter)
    dead_letters_suppressed: int = 0

    def message_refused(self, of_input: str, reason: str) -> None:
        """Count a message that couldn't be decoded."""
        self.messages_refused[reason] += 1
        self.refused_of_inputs[of_input, reason] += 1

    def reading_refused(self, of_input: str, reason: str) -> None:
        """Count a refused value."""
        self.readings_refused[reason] += 1
        self.refused_of_inputs[of_input, reason] += 1

    def clear(self) -> None:
        """Reset all counters."""
        for each in fields(self):
            fresh = each.default_factory() if each.default_factory is not MISSING else each.default
            setattr(self, each.name, fresh)

    def go_on_from(self, others: Counters) -> None:
        """Copy the values of other counters."""
        for each in fields(self):
            setattr(self, each.name, copy(getattr(others, each.name)))

    @property
    def balanced(self) -> bool:
        """Whether the balances above hold."""
        return (
            self.messages
            == self.messages_read
            + self.messages_refused.total()
            + self.messages_redelivered
            + self.messages_copied
            + self.messages_own
            + self.messages_left_out
            + self.commands
            + self.commands_refused.total()
            and self.readings == self.readings_taken + self.readings_refused.total() + self.repeats
        )

    def as_dict(self) -> dict[str, int | dict[str, int] | dict[str, dict[str, int]]]:
        """The counters by name, for the topic `health`."""
        return {
            "messages": self.messages,
            "messages_read": self.messages_read,
            "messages_refused": dict(sorted(self.messages_refused.items())),
            "messages_own": self.messages_own,
            "messages_left_out": self.messages_left_out,
            "messages_redelivered": self.messages_redelivered,
            "messages_copied": self.messages_copied,
            "commands": self.commands,
            "commands_refused": dict(sorted(self.commands_refused.items())),
            "readings": self.readings,
            "readings_taken": self.readings_taken,
            "readings_refused": dict(sorted(self.readings_refused.items())),
            "refused_of_inputs": self._by_input(),
            "repeats": self.repeats,
            "fields_ignored": self.fields_ignored,
            "devices_unknown": self.devices_unknown,
            "same_times": self.same_times,
            "clock_steps": self.clock_steps,
            "events": dict(sorted(self.events.items())),
            "dead_letters_suppressed": self.dead_letters_suppressed,
        }

    def _by_input(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (of_input, reason), count in sorted(self.refused_of_inputs.items()):
            found.setdefault(of_input, {})[reason] = count
        return found
