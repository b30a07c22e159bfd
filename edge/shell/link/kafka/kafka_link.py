"""The link to Apache Kafka: one member of a consumer group at a time, with its own network thread.

The thread fetches records, merges those of its partitions in order of time, and passes them to the receive queue as
messages. It commits the offsets that the service has stored. Before a partition is reassigned, it waits until the
messages already received are stored and committed, so that the next worker continues exactly after them.

Features that require an MQTT broker are absent: nothing is published, and there is no last will.
"""

# ruff: noqa: ARG002 - not every kind of link uses all arguments of the interface
from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from edge.core.model.readings.messages import Message
from edge.shell.link.connection_state import ConnectionState
from edge.shell.link.kafka.cluster import KafkaLinkOptions
from edge.shell.link.kafka.consuming import ClientError, GroupMember
from edge.shell.link.kafka.ledger import PartitionLedger, Place
from edge.shell.link.kafka.merging import PartitionMerge
from edge.shell.link.kafka.no_broker import SeenRivals
from edge.shell.link.kafka.records import as_message_of
from edge.shell.link.link_options import EventProperties, Subscription, Will
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.receiving.receive_queue import ReceiveQueue
from edge.shell.link.sending.sender import RefusedPublication
from edge.shell.link.versions.abilities import Abilities

log = logging.getLogger("edgewarden.link")

POLL_S = 0.1
"""Maximum interval in seconds between the thread's other tasks."""

COMMIT_S = 1.0
"""Minimum interval between commits of offsets; after a crash, the positions in the store are more recent."""

LEAVE_S = 20.0
"""Maximum time in seconds that a revoked partition waits for received messages to be stored."""

RETRY_S = 5.0
"""Pause in seconds before a failed client is replaced."""


LOG = "kafka/"
"""Prefix of partitions' names in the store; the topic's ID and the partition's number follow."""


class KafkaLink:
    """See `ServiceLink`. A message's topic is the Kafka topic, a slash and the record's key.

    Args:
        options: The settings of the link.
        subscriptions: Topic filters; the first level of each names a Kafka topic.
        clock: Seconds since the epoch, for records without a time.
    """

    stamps_arrivals = acknowledges_blindly = False
    version = "Kafka"
    closed_by_broker = ""

    def __init__(
        self,
        options: KafkaLinkOptions,
        subscriptions: Sequence[Subscription] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.options = options
        self.connections = self.moves = 0
        self.refused_subscriptions: dict[str, str] = {}
        self.abilities = Abilities()
        self.refused_publications = 0
        self.echo = self.births = Echo(None)
        self.reconnecting = SeenRivals()
        self.inbox = ReceiveQueue(options.receive_messages, options.receive_bytes)
        self._clock = clock
        self._topics = topics_of(subscriptions)
        self._has_new_topics = False
        self._ledger = PartitionLedger()
        self._merge = PartitionMerge(options.receive_bytes)
        self._state: ConnectionState[GroupMember] = ConnectionState()
        self._thread: threading.Thread | None = None
        self._member: GroupMember | None = None
        self._next: dict[Place, tuple[int, int]] = {}  # number and offset of the next record to fetch
        self._failure = ""
        self._lost = 0
        self._lost_known = 0
        self._is_first = True
        self._was_away = False

    @property
    def connected(self) -> bool:
        """Whether a broker is connected and the group has admitted this member."""
        member = self._state.current
        return member is not None and member.is_up

    @property
    def alive(self) -> bool:
        """See `ServiceLink`."""
        return not self._state.failed and self._thread is not None and self._thread.is_alive()

    @property
    def trouble(self) -> str:
        """See `ServiceLink`."""
        member = self._member
        return "" if self.connected else self._failure or ("" if member is None else member.trouble)

    @property
    def lag(self) -> int | None:
        """Number of records waiting in Kafka for this member; None if unknown."""
        member = self._state.current
        return None if member is None else member.lag

    @property
    def takeovers(self) -> int:
        """See `ServiceLink`."""
        return self.reconnecting.takeovers

    @property
    def dropped_qos0(self) -> int:
        """Always 0: what can't be received yet waits in Kafka."""
        return 0

    def start(self) -> None:
        """See `ServiceLink`."""
        self._thread = threading.Thread(target=self._run, name="edgewarden-kafka", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Commit stored messages and end the thread, or give up after the timeout."""
        self._state.stop(timeout_s)
        self.inbox.close()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until the group has admitted this member; returns whether it has."""
        return self._state.wait_connected(timeout_s)

    def wait_subscribed(self, timeout_s: float) -> bool:
        """The same as `wait_connected()`."""
        return self._state.wait_connected(timeout_s)

    def resume(self, positions: Mapping[str, int]) -> None:
        """See `ServiceLink`."""
        self._ledger.resume({log: each for log, each in positions.items() if log.startswith(LOG)})

    def receive(self, timeout_s: float, most: int = 10_000, most_bytes: int = 2**18) -> list[Message]:
        """See `ServiceLink`."""
        return self._ledger.take(self.inbox.take(timeout_s, most, most_bytes))

    def of_session(self, messages: list[Message]) -> list[Message]:
        """See `ServiceLink`."""
        return messages

    def has_lost_session(self) -> bool:
        """Whether records were deleted before they were read, or a topic was replaced, since the last call."""
        lost, self._lost_known = self._lost != self._lost_known, self._lost
        return lost

    def positions(self, messages: Sequence[Message]) -> dict[str, int]:
        """The offset of the last message of each partition."""
        return self._ledger.positions(messages)

    def acknowledge(self, messages: Sequence[Message], window: int | None = None) -> None:
        """See `ServiceLink`."""
        self._ledger.acknowledge(messages)

    def wake(self) -> None:
        """See `ServiceLink`."""
        self.inbox.interrupt()

    def unsubscribe(self, topic: str) -> None:
        """Do nothing: only the topics in use are fetched."""

    def follow(self, subscriptions: Sequence[Subscription], will: Will | Callable[[], Will] | None) -> None:
        """See `ServiceLink`."""
        topics = topics_of(subscriptions)
        if topics != self._topics:
            self._topics, self._has_new_topics = topics, True

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Nothing is published here."""
        return None

    def confirmations(self) -> list[int]:
        """Nothing is published here."""
        return []

    def refusals(self) -> list[RefusedPublication]:
        """Nothing is published here."""
        return []

    def closing_explained(self) -> None:
        """Nothing is published here."""

    def rival_seen(self) -> None:
        """Do nothing: the group reports members with the same name."""

    # The following methods run in the network thread.

    def _run(self) -> None:
        try:
            while not self._state.ending:
                self._live()
                self._state.pause(RETRY_S)
        except Exception:  # whatever it was, a network thread must not end unnoticed
            log.exception("network_thread_failed")
            self._state.fail()
            self.inbox.close()

    def _live(self) -> None:
        """Be a member of the group until `stop()` is called or the client fails."""
        self._failure, self._has_new_topics = "", False
        try:
            self._member = member = GroupMember(self.options.group, self._topics, self)
        except ClientError as error:
            self._fail(str(error.args[0]))
            return
        was_up, commit_at = False, 0.0
        try:
            while not self._state.ending and not self._failure:
                self._fetch(member)
                if member.is_up != was_up:
                    was_up = member.is_up
                    self._note_reachable(member, is_up=was_up)
                if time.monotonic() >= commit_at:
                    member.commit(self._ledger.to_commit(), waits=False)
                    commit_at = time.monotonic() + COMMIT_S
                if self._has_new_topics:
                    self._has_new_topics = False
                    member.subscribe(self._topics)
        except ClientError as error:
            self._fail(str(error.args[0]))
        finally:
            self._end(member)

    def _end(self, member: GroupMember) -> None:
        """Commit stored messages and drop the partitions, whose records are no longer delivered."""
        numbers = [number for number, _ in self._next.values()]
        self._ledger.leave(numbers, 0.0)
        try:
            member.commit(self._ledger.to_commit(), waits=True)
        except ClientError as error:
            log.info("offsets_not_committed error=%r", str(error.args[0]))
        self._forget(list(self._next))
        member.close()
        self._state.end()

    def _fetch(self, member: GroupMember) -> None:
        now = self._clock()
        for record in member.poll(POLL_S):
            place = record.topic() or "", record.partition() or 0
            number, _ = self._next.get(place, (None, 0))
            if number is not None:
                message = as_message_of(record, number, now)
                self._next[place] = number, message.packet + 1
                self._merge.add(message, is_dated=message.arrived < now)
        places = {number: place for place, (number, _) in self._next.items()}
        room = 0 if self.inbox.is_full else self.options.receive_messages
        taken = self._merge.take(lambda number: member.ends_at(places[number], self._next[places[number]][1]), room)
        if taken:
            self.inbox.put_all(taken, waits=True)
        member.hold({places[number] for number in self._merge.crowded()})

    def _note_reachable(self, member: GroupMember, *, is_up: bool) -> None:
        if is_up:
            log.info("connected host=%s port=%d", self.options.host, self.options.port)
            self.connections += self._was_away
            self._was_away = False
        else:
            self._was_away = self._state.current is not None
            log.warning("disconnected host=%s reason=%r", self.options.host, member.trouble)

    def assigned(self, places: Sequence[Place]) -> None:
        """See `GroupListener`: each partition begins after its stored or committed position, whichever is further."""
        member = self._member
        if member is None:
            return
        starts = self._starts(member, places)
        known = self._ledger.known()
        if self._is_first and places and known.keys() - {log for _, log, _ in starts}:
            self.moves += 1
        self._is_first = self._is_first and not places
        for place, its_log, start in starts:
            number = self._ledger.assign(place, its_log, start)
            self._next[place] = number, start
            self._merge.open(number)
            self.refused_subscriptions.pop(place[0], None)
        member.begin([(place, start) for place, _, start in starts])
        if self._state.current is None:
            self.connections += 1
            member.is_up = True
            self._state.accept(member, subscribed=True)
        log.info("partitions_assigned partitions=%r", [f"{topic}/{number}@{at}" for (topic, number), _, at in starts])
        self.inbox.interrupt()

    def _starts(self, member: GroupMember, places: Sequence[Place]) -> list[tuple[Place, str, int]]:
        """The starting offsets of partitions, and their names in the store."""
        topics = sorted({topic for topic, _ in places})
        ids = member.topic_ids(topics) if topics else {}
        known = self._ledger.known()
        every = member.committed(member.partitions(topics)) if topics else {}
        begun = {topic for topic, _ in every}
        found = []
        for place in places:
            its_log = f"{LOG}{ids[place[0]]}/{place[1]}"
            low, high = member.reach(place)
            behind = [known[its_log] + 1] if its_log in known else []
            behind += [every[place]] if place in every else []
            at_first = high if self.options.group.begin == "now" and place[0] not in begun else low
            start = max(behind, default=at_first)
            if not low <= start <= high:
                self._note_lost(place, start, low)
                start = low
            found.append((place, its_log, start))
        return found

    def revoked(self, places: Sequence[Place]) -> None:
        """See `GroupListener`: received messages are stored and committed first."""
        numbers = self._ledger.numbers(places)
        is_whole = self._ledger.leave(numbers, 0.0 if self._state.ending else LEAVE_S)
        if self._member is not None:
            try:
                self._member.commit(self._ledger.to_commit(numbers), waits=False)  # within a callback
            except ClientError as error:
                log.warning("offsets_not_committed error=%r", str(error.args[0]))
        log.info("partitions_revoked partitions=%d stored=%s", len(places), str(is_whole).lower())
        self._moved(places)

    def lost(self, places: Sequence[Place]) -> None:
        """See `GroupListener`: the next worker began at our last commit, so later readings are processed twice."""
        log.warning(
            "partitions_lost partitions=%d reason='the group has received no heartbeat for too long'", len(places)
        )
        self._moved(places)

    def _moved(self, places: Sequence[Place]) -> None:
        if places:
            self._forget(places)
            self.moves += 1
            self.inbox.interrupt()

    def _forget(self, places: Sequence[Place]) -> None:
        numbers = [self._next.pop(each)[0] for each in places if each in self._next]
        for each in numbers:
            self._merge.close(each)
        self._ledger.forget(numbers)

    def unreadable(self, topic: str, reason: str) -> None:
        """See `GroupListener`."""
        if self.refused_subscriptions.get(topic) != reason:
            self.refused_subscriptions[topic] = reason
            log.error("subscription_refused topic=%r reason=%r", topic, reason)

    def out_of_reach(self, place: Place) -> None:
        """See `GroupListener`: reading continues with the oldest available record."""
        member = self._member
        if member is None or place not in self._next:
            return
        number, offset = self._next[place]
        low, _ = member.reach(place)
        self._note_lost(place, offset, low)
        self._next[place] = number, low
        member.seek(place, low)

    def _note_lost(self, place: Place, offset: int, low: int) -> None:
        self._lost += 1
        self.connections += 1
        log.error("records_lost topic=%r partition=%d from=%d to=%d", *place, offset, low)

    def failed(self, reason: str, *, is_fenced: bool) -> None:
        """See `GroupListener`."""
        self._fail(reason)
        if is_fenced:
            self.reconnecting.takeovers += 1
            self.reconnecting.has_rival = True

    def _fail(self, reason: str) -> None:
        if not self._failure:
            log.warning("client_failed host=%s reason=%r", self.options.host, reason)
        self._failure = reason


def topics_of(subscriptions: Sequence[Subscription]) -> list[str]:
    """The Kafka topics that topic filters refer to."""
    return sorted({each.filter.split("/")[0] for each in subscriptions})
