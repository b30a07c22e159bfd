"""The rig: a plant, one or two brokers, the service and a consumer, each a separate process or client.

plant -> messenger -> broker -> service -> broker or a second one -> listener
"""

from __future__ import annotations

import os
import signal
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from brokers import Mosquitto
from listener import Listener
from messenger import Messenger
from plant import Post, single
from proxy import Proxy
from running import RunningService, wait_until
from verdict import Outcome, Truth, compare, offline

KEEPALIVE_S = 5
IN_FLIGHT = 200
QUIET_S = 30.0
"""Seconds without anything new after which nothing more is expected."""

BROKER = """allow_anonymous true
max_queued_messages 1000000
max_inflight_messages {window}
set_tcp_nodelay true
log_type error
log_type warning
log_type subscribe
"""

KEPT = """persistence true
persistence_location {directory}/
"""

LISTED = """acl_file {directory}/acl
"""

AT_EVERY_CHANGE = "autosave_interval 1\nautosave_on_changes true\n"
AT_THE_END = "autosave_interval 0\n"

RULES = """[[rule]]
sensors = "**"
preset = "limits_only"
[rule.detectors.limits]
low = -50.0
high = 100.0
[rule.detectors.ewma]
[rule.detectors.silence]
enabled = false
[[device]]
name = "plant"
sensors = ["plant/**"]
warm_up = 200
"""


USER = "gateway"


def access_list(rules: str) -> str:
    """An access list with rules for the service; all other clients may do everything."""
    return f"topic readwrite #\nuser {USER}\n{rules}"


@dataclass
class Plan:
    """How a rig is built.

    Attributes:
        separate: Whether events go to a second broker.
        kept: Whether the brokers keep sessions on disk.
        saving: Interval at which they write them; a large backlog makes each write expensive.
        proxied: Which of the service's connections go through a proxy: `in`, `out`.
        tables: Tables of the configuration in addition to the usual ones, or replacing them.
        form: Keys of the input's table besides its topic.
        rules: The rules.
        per_second: Posts a second; None for the maximum that the broker accepts.
        rewind: Number of posts that the messenger repeats when its connection breaks.
        environment: Additional environment variables of the service.
        listed: Whether the broker has an access list, for the service only.
        version: MQTT version used by the service; None for the default.
        window: The in-flight window, of the brokers and of the service.
    """

    separate: bool = False
    kept: bool = False
    saving: str = AT_EVERY_CHANGE
    proxied: tuple[str, ...] = ()
    tables: dict[str, str] = field(default_factory=dict)
    form: str = 'sensor = "{topic}/{field}"'
    rules: str = RULES
    per_second: float | None = 300.0
    rewind: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    listed: bool = False
    version: str | None = None
    window: int = IN_FLIGHT


class Rig:
    """Everything needed to run a fault.

    Args:
        folder: Folder for its files; it must be empty.
        source: What the plant publishes.
        plan: How it is built.
        store: The store's file; in the folder by default.
        warm_up: Posts before any fault, for the detectors to learn from.
    """

    def __init__(
        self,
        folder: Path,
        source: Iterator[Post] | None = None,
        plan: Plan | None = None,
        *,
        store: Path | None = None,
        warm_up: int = 800,
    ) -> None:
        self.folder = folder
        self.plan = plan or Plan()
        self.store = store or folder / "store.db"
        self.source = source if source is not None else single(7)
        self.warm_up = warm_up
        self.starts: list[float] = []
        self._stack = ExitStack()
        self._log_from = 0
        self._subscribed_from = 0

    def __enter__(self) -> Self:
        plan, stack = self.plan, self._stack
        lines = BROKER + (KEPT + plan.saving if plan.kept else "") + (LISTED if plan.listed else "")
        self.broker = self._broker("broker", lines)
        self.upstream = self._broker("upstream", lines) if plan.separate else self.broker
        inbound, outbound = self.broker.port, self.upstream.port
        self.proxies: dict[str, Proxy] = {}
        if "in" in plan.proxied:
            self.proxies["in"] = stack.enter_context(Proxy(inbound))
            inbound = self.proxies["in"].port
        if "out" in plan.proxied:
            self.proxies["out"] = stack.enter_context(Proxy(outbound))
            outbound = self.proxies["out"].port
        self.listener = Listener(self.upstream.port)
        self.listener.start()
        stack.callback(self.listener.stop)
        self.messenger = Messenger(self.broker.port, self.source, plan.per_second, rewind=plan.rewind)
        self.messenger.start()
        stack.callback(self.messenger.stop)
        self.service = RunningService(self.folder, self._configuration(inbound, outbound))
        stack.callback(self.service.kill)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _broker(self, name: str, lines: str) -> Mosquitto:
        folder = self.folder / name
        folder.mkdir()
        (folder / "acl").write_text(access_list("topic readwrite #\n"))
        broker = Mosquitto(folder, lines.format(directory=folder, window=self.plan.window)).start()
        self._stack.callback(broker.kill)
        return broker

    def _configuration(self, inbound: int, outbound: int) -> str:
        tables = {
            "gateway": 'name = "gw"',
            "broker": f"port = {inbound}\nkeepalive_s = {KEEPALIVE_S}\nin_flight = {self.plan.window}",
            "incidents": "threshold = 6.0\nclear_after = 3\nupdate_s = 2",
            "store": 'durability = "process"',
        }
        if outbound != inbound:
            tables["upstream"] = f'host = "127.0.0.1"\nport = {outbound}\nkeepalive_s = {KEEPALIVE_S}'
        if self.plan.listed:
            tables["broker"] += f'\nusername = "{USER}"'
        if self.plan.version is not None:
            tables["broker"] += f'\nversion = "{self.plan.version}"'
        tables |= self.plan.tables
        tables["store"] += f'\npath = "{self.store}"'
        text = "\n".join(f"[{name}]\n{content}" for name, content in tables.items())
        return f'{text}\n[[input]]\ntopic = "plant/#"\n{self.plan.form}\n{self.plan.rules}'

    def allow(self, rules: str) -> None:
        """Change the service's rights at the broker."""
        (self.broker.directory / "acl").write_text(access_list(rules))
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGHUP)

    # The service.

    @property
    def pid(self) -> int:
        assert self.service.process is not None
        return self.service.process.pid

    def start(self, *, subscribed: bool = False) -> None:
        """Start the service; the first time, wait until the broker keeps readings for it."""
        self._log_from = self._log_size()
        self.starts.append(time.monotonic())
        self.service.start(**self.plan.environment)
        if subscribed:
            self.wait_subscribed()
            self._learn()

    def _learn(self) -> None:
        """Let the detectors learn what is ordinary, quickly."""
        self.messenger.take_from(self.source, None)
        self.messenger.publish(self.warm_up)
        self.messenger.take_from(self.source, self.plan.per_second)

    def wait_subscribed(self) -> None:
        """Wait until the broker has a new subscription of the service since the last call."""
        log = self.broker.directory / "mosquitto.log"

        def seen() -> bool:
            text = log.read_bytes()
            found = text.find(b" plant/#", self._subscribed_from)
            if found >= 0:
                self._subscribed_from = found + 1
            return found >= 0

        wait_until(seen, 120, "the service's subscription")

    def wait_log(self, word: str, timeout_s: float = 120.0) -> float:
        """Wait until the service has logged a text since it was started; returns the time of the line."""
        log = self.service.log
        wait_until(lambda: word.encode() in log.read_bytes()[self._log_from :], timeout_s, f"{word!r} in the log")
        return time.monotonic()

    def has_logged(self, word: str) -> int:
        """Number of occurrences of a text in the log since the service was started."""
        return self.service.log.read_bytes()[self._log_from :].count(word.encode())

    def forget_log(self) -> None:
        """Ignore what was logged until now."""
        self._log_from = self._log_size()

    def _log_size(self) -> int:
        return self.service.log.stat().st_size if self.service.log.exists() else 0

    def memory_kib(self) -> int:
        """Memory used by the service."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    # What came of it.

    def wait_new_event(self, since: float, timeout_s: float = 180.0) -> float:
        """Wait for an event that was never received before; returns the number of seconds after `since`."""
        times = self.listener.new_at
        wait_until(lambda: times and times[-1] > since, timeout_s, "a new event")
        return times[bisect_right(times, since)] - since

    def recoveries(self, since: list[float]) -> list[float]:
        """For each of these moments, the seconds until the next new event; empty if the next moment came first."""
        times = self.listener.new_at
        found = []
        for begin, end in zip(since, [*since[1:], float("inf")], strict=True):
            index = bisect_right(times, begin)
            if index < len(times) and times[index] < end:
                found.append(times[index] - begin)
        return found

    def wait_lag(self, plant_s: float, timeout_s: float = 180.0) -> None:
        """Wait until the consumer is at most the given number of seconds, in the plant's time, behind the messenger."""

        def is_near() -> bool:
            done = self.messenger.confirmed
            return bool(done) and self.listener.plant_time >= self.messenger.posts[done - 1].readings[-1].time - plant_s

        wait_until(is_near, timeout_s, "the service keeping up")

    def truth(self) -> Truth:
        """The events of an offline run over everything that was published."""
        return offline(self.service.path, self.messenger.readings())

    def settle(self, truth: Truth, timeout_s: float = 600.0) -> None:
        """Wait until the whole truth was received, or nothing new arrives any more."""
        first = self.listener.first
        until = time.monotonic() + timeout_s
        known, news = len(first), time.monotonic()
        while not truth.keys() <= first.keys() and time.monotonic() < until:
            if len(first) != known:
                known, news = len(first), time.monotonic()
            if time.monotonic() - news > QUIET_S:
                return
            time.sleep(0.05)

    def end(self, outcome: Outcome) -> None:
        """Stop the service as an operator would; it must end properly, with everything sent."""
        began = time.monotonic()
        code = self.service.end(signal.SIGTERM)
        outcome.demand(code == 0, f"the service ended with {code}")
        outcome.demand(time.monotonic() - began < 60, "the service took more than a minute to end")
        wait_until(lambda: self.listener.latest("status").get("state") == "offline", 60, "the goodbye")

    def judge(self, outcome: Outcome, *, gaps: frozenset[str] = frozenset()) -> Outcome:
        """Publish to the end, wait, stop the service and compare; `gaps` lists the allowed reasons for gaps."""
        self.messenger.finish()
        truth = self.truth()
        self.settle(truth)
        if self.service.process is not None and self.service.process.poll() is None:
            self.end(outcome)
        else:
            outcome.reasons.append("the service was not running at the end")
        compare(truth, self.listener.arrivals, outcome)
        self.judge_words(outcome, gaps)
        return outcome

    def judge_words(self, outcome: Outcome, gaps: frozenset[str] = frozenset()) -> None:
        """No unexpected gap was reported, and the service logged no error."""
        unexpected = {gap["data"]["reason"] for gap in self.listener.gaps.values()} - gaps
        outcome.demand(not unexpected, f"gaps were reported: {', '.join(sorted(unexpected))}")
        outcome.demand(b"Traceback" not in self.service.log.read_bytes(), "there is a traceback in the log")
