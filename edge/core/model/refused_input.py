"""Refused input: what can't be taken is counted by its reason, and a dead letter tells of it."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.model.counters import Counters
from edge.core.model.dead_letters import DeadLetters
from edge.core.model.readings.messages import DeadLetter, Message, Refusal


class RefusedInput:
    """Counts what is refused and keeps dead letters of it.

    Args:
        letters_per_minute: Maximum number of dead letters per minute.
        counters: Count everything refused.
        input_of: Returns the topic filter of the input that reads a topic; None if no input does.
    """

    def __init__(self, letters_per_minute: int, counters: Counters, input_of: Callable[[str], str | None]) -> None:
        self._counters = counters
        self._input_of = input_of
        self._dead_letter = DeadLetters(letters_per_minute, counters).keep

    def message(self, message: Message, by: str, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Refuse a whole message of the input with the topic filter `by`."""
        self._counters.message_refused(by, refusal.reason)
        self._dead_letter(message, refusal, letters)

    def command(self, message: Message, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Count a rejected command and keep a dead letter."""
        self._counters.commands_refused[refusal.reason] += 1
        self._dead_letter(message, refusal, letters)

    def sensor(self, message: Message, refusal: Refusal | None, letters: list[DeadLetter]) -> None:
        """Refuse a value without a sensor, or count one that is no reading, such as a time on a topic of its own."""
        if refusal is None:
            self._counters.fields_ignored += 1
        else:
            self.reading(message, refusal, letters)

    def reading(self, message: Message, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Count a refused reading and keep a dead letter."""
        self._counters.readings += 1
        self.admission(message, refusal, letters)

    def admission(self, message: Message | None, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Refuse a reading that was counted before; without its message there is no dead letter."""
        by = "" if message is None else self._input_of(message.topic) or ""
        self._counters.reading_refused(by, refusal.reason)
        if message is not None:
            self._dead_letter(message, refusal, letters)
