"""A pipeline whose activity is logged and written to a status file, and the lines of its log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import cast

from config.loading import parse
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.shell.activity import Activity
from edge.shell.link import Link, LinkOptions
from edge.shell.link.versions.abilities import Abilities
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.turns.commit_group import CommitGroup
from edge.shell.system.logs import RateLimit

OWN = "edgewarden/gateway"
CONFIGURATION = """
[limits]
dead_letters_per_minute = 20
[[input]]
topic = "plant/+"
[[input]]
topic = "house/#"
[[input]]
topic = "#"
"""
T0 = 1_700_000_000.0


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.addFilter(RateLimit(clock=lambda: 0.0))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def take(self, of: str = "") -> list[str]:
        """The lines since the last call that begin with the given text."""
        taken, self.lines = self.lines, []
        return [each for each in taken if each.startswith(of)]


class Stub:
    """The parts of a link that the activity log reads."""

    def __init__(self) -> None:
        self.connected = True
        self.version = "5"
        self.trouble = ""
        self.refused_subscriptions = {"house/#": "Not authorized"}
        self.refused_publications = 0
        self.abilities = Abilities()
        self.takeovers = 0
        self.options = LinkOptions(host="broker", port=1883)


class Line:
    """A pipeline whose steps are committed immediately, watched by an activity log."""

    def __init__(self, store: Path | None = None) -> None:
        configuration = parse(CONFIGURATION).configuration
        self.pipeline = make_pipeline(configuration)
        self.link = Stub()
        filters = tuple(each.topic for each in configuration.inputs)
        self.options = ServiceOptions(Topics(OWN), filters=filters, about={"gateway": "gateway"}, store=store)
        self.activity = self.begin()

    def take(self, now: float, *messages: tuple[str, bytes]) -> None:
        group = CommitGroup(2.0, 20)
        arrived = [Message(topic, payload, T0 + now) for topic, payload in messages]
        for step, its in self.pipeline.steps(arrived):
            group.add(step, its, now)
        self.activity.committed(group.messages, group.dead_letters, group.events, (), now)

    def begin(self) -> Activity:
        link = cast("Link", self.link)
        return Activity(self.options, self.pipeline, (link, link))

    def turn(self, now: float, *, connected: bool = True) -> bool:
        self.link.connected = connected
        return self.activity.turn(now, health)


def health() -> bytes:
    return b'{"uptime_s": 3}'
