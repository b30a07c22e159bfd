"""Command steps: carries out operator commands from messages, answers and journals them."""

from __future__ import annotations

import msgspec

from edge.core.incidents.incident_change import IncidentChange
from edge.core.intake.intake import Intake
from edge.core.model.counters import Counters
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Batch, DeadLetter, Message, Refusal
from edge.core.model.sensors.sensors import SensorTable
from edge.core.operator.command_handler import CommandHandler, refusal_json
from edge.core.operator.commands import CommandRefused
from edge.core.persistence.journal import CommandApplied, Readings
from edge.core.persistence.steps.step import Step
from edge.core.persistence.steps.step_maker import StepMaker


class CommandSteps:
    """Creates steps from commands.

    Args:
        topics: This gateway's own topics.
        handler: Carries out the commands.
        sensors: Names of the sensors.
        intake: Recognises redelivered messages.
        counters: Counts commands.
        maker: Creates steps from the resulting changes.
    """

    def __init__(
        self,
        topics: Topics,
        handler: CommandHandler,
        sensors: SensorTable,
        intake: Intake,
        counters: Counters,
        maker: StepMaker,
    ) -> None:
        self._below = topics.command("")
        self._handler = handler
        self._sensors = sensors
        self._intake = intake
        self._counters = counters
        self._maker = maker

    def follow(self, message: Message, clock: float) -> Step:
        """Carry out and answer a command from a message on a command topic; `clock` is the stream clock."""
        letters: list[DeadLetter] = []
        name = message.topic[len(self._below) :]
        if message.is_copy:
            self._counters.messages += 1
            self._counters.messages_copied += 1
            return Step()
        again = self._intake.deliveries.is_known(message)
        delivery = self._intake.take_delivery(message)
        if again and not self._handler.remembers(message.payload):
            self._counters.messages_redelivered += 1
            return Step()
        try:
            if message.retained:
                raise CommandRefused("retained")  # noqa: TRY301 - refused like any other fault of a command
            findings, answer = self._handler.follow(name, message.payload, message.arrived, clock)
        except CommandRefused as refused:
            self._intake.refused.command(message, Refusal(refused.reason, "", refused.detail), letters)
            step = Step(dead_letters=letters, answers=[refusal_json(name, message, refused)])
            step.journal = Readings(Batch(), [], [delivery]) if delivery is not None else None
            return step
        self._counters.commands += 1
        step, forgotten = self._carry_out(findings, message.arrived, clock)
        step.answers.append(msgspec.json.encode(answer))
        step.journal = CommandApplied(name, message.payload, message.arrived, delivery, forgotten)
        return step

    def follow_again(self, part: CommandApplied, clock: float) -> Step:
        """Replay a journaled command."""
        if part.delivery is not None:
            self._intake.deliveries.note_all([part.delivery])
        try:
            findings, _ = self._handler.follow(part.name, part.payload, part.arrived, clock)
        except CommandRefused:
            return Step()
        if part.forgotten:
            self._handler.forgetting = self._sensors.still_there(part.forgotten)
        return self._carry_out(findings, part.arrived, clock)[0]

    def _carry_out(self, findings: list[IncidentChange], arrived: float, clock: float) -> tuple[Step, list[int]]:
        """The step of a command, and the slots vacated by it."""
        forgetting, self._handler.forgetting = self._handler.forgetting, []
        if forgetting:
            return self._maker.forget(forgetting, arrived, clock, "command", self._handler.remark)
        return self._maker.report(findings, [], clock), []
