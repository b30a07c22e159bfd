"""Counters: everything that came in is counted, as taken or as refused with a reason.

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
        messages: MQTT messages received.
        messages_read: Those that a decoder could read, at least in part.
        messages_refused: Those that nobody could read, by reason.
        messages_own: Those that we or another gateway have published, where a filter such as `#` brings them.
        messages_left_out: Those on topics that an input leaves out by `ignore_topics`.
        messages_redelivered: Those that were dealt with before, and came again.
        messages_copied: Those that the broker has delivered for another filter, too.
        commands: Words of the operator that were followed, or had been before.
        commands_refused: Those that were refused, by reason.
        readings: Values found in the messages that were read.
        readings_taken: Values that the detectors have seen.
        readings_refused: Values that were refused, by reason.
        refused_of_inputs: Messages and values that were refused, by the topic filter of their input and by reason; an
            empty text where no input asks for them.
        repeats: Values that a sender repeats although nothing changed, where the input says that it does.
        fields_ignored: Texts and other values beside the readings that never were a sensor, and fields that an input
            leaves out.
        devices_unknown: Words of devices that say whether they are there, of which no sensor is known.
        same_times: Readings with the time of the one before them and another value, taken a microsecond after it.
        clock_steps: Sensors' clocks that were set back and are believed.
        events: Events by transition.
        dead_letters_suppressed: Dead letters beyond the rate that is kept.
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
        """Count a message that couldn't be read."""
        self.messages_refused[reason] += 1
        self.refused_of_inputs[of_input, reason] += 1

    def reading_refused(self, of_input: str, reason: str) -> None:
        """Count a value that was refused."""
        self.readings_refused[reason] += 1
        self.refused_of_inputs[of_input, reason] += 1

    def clear(self) -> None:
        """Begin to count anew."""
        for each in fields(self):
            fresh = each.default_factory() if each.default_factory is not MISSING else each.default
            setattr(self, each.name, fresh)

    def go_on_from(self, others: Counters) -> None:
        """Count on from where others are."""
        for each in fields(self):
            setattr(self, each.name, copy(getattr(others, each.name)))

    @property
    def balanced(self) -> bool:
        """Whether everything that came in is accounted for."""
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
        """The counters by name, for the health topic."""
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
