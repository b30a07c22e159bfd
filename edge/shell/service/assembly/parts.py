"""Assembly: from a configuration to the parts of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from config.gateway_topics import GatewayTopics
from config.loading import load, parse
from config.notation.availability import AvailabilityTopic, availability_of
from config.notation.topics import covers
from config.schema import Configuration, StoreTable
from config.tables.homeassistant import PREFIX
from config.tables.inputs import Input
from config.tables.transport import Connection
from edge.core.intake.decoders.recognition.availability import AVAILABLE, UNAVAILABLE, AvailabilityDecoder
from edge.core.intake.intake_limits import IntakeLimits
from edge.core.intake.routes import Route, Routes
from edge.core.model.notation.topics import Topics
from edge.core.model.sensors.sensors import Repetition
from edge.core.pipeline import Pipeline
from edge.shell.activity.status import status_json
from edge.shell.homeassistant.announcer import Announcer
from edge.shell.homeassistant.options import HomeAssistantOptions
from edge.shell.link import Link, LinkOptions, ServiceLink, Subscription
from edge.shell.link.kafka.no_broker import NoBroker
from edge.shell.link.receiving.broker_window import QUIET_S
from edge.shell.link.subscribing.overlaps import joined
from edge.shell.onlooker import NoOnlooker, Onlooker
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.decoders import decoder_of, decoders_by_format
from edge.shell.service.assembly.links import kafka_options, link_options
from edge.shell.store import StoreFiles, StoreLimits
from edge.version import VERSION

DEFAULTS = """
[[input]]
topic = "#"
"""


def load_or_default(path: Path | None, gateway: str | None = None) -> Configuration:
    """Load the configuration at a path, or the shipped defaults for every topic.

    Raises:
        ConfigurationError: The file is invalid.
    """
    configuration = load(path) if path is not None else parse(DEFAULTS, "defaults").configuration
    if gateway is None:
        return configuration
    named = configuration.gateway.replaced(name=gateway)
    return configuration.replaced(gateway=named)


def make_pipeline(configuration: Configuration, *, tells_of_sensors: bool = False) -> Pipeline:
    """Create the configured core, with nothing learned yet; see `Pipeline`."""
    limits = configuration.limits
    return Pipeline(
        configuration.gateway.name,
        Topics(configuration.gateway.topic_base),
        routes_of(configuration),
        configuration.rule_for,
        device_for=configuration.device_for,
        sensors=limits.sensors,
        limits=IntakeLimits(
            payload_bytes=limits.payload_bytes,
            earliest=limits.earliest_time,
            future_s=limits.future_s,
            dead_letters_per_minute=limits.dead_letters_per_minute,
        ),
        reorder_s=limits.reorder_s,
        maintenance=[each.window() for each in configuration.maintenance],
        commands=configuration.commands.enabled,
        tells_of_sensors=tells_of_sensors,
    )


def routes_of(configuration: Configuration) -> Routes:
    """The configured routes."""
    home_assistant = configuration.homeassistant
    prefix = PREFIX if home_assistant is None else home_assistant.prefix
    gateways = GatewayTopics(configuration.gateway.base, configuration.gateway.name, prefix)
    routes = [route for each in configuration.inputs for route in _routes(each, configuration)]
    wanted = subscriptions_of(configuration)
    wider = [each.filter for each in joined(wanted) if each not in wanted]
    return Routes(routes, Topics(configuration.gateway.topic_base).base, gateways, wider)


def service_options(configuration: Configuration, instance: str, onlooker: Onlooker | None = None) -> ServiceOptions:
    """The loop's options; `instance` is a string that is unique to this process."""
    keep = configuration.store
    of_sensors = [each for rule in configuration.profiles for each in rule.detectors]
    of_devices = [each for device in configuration.resolved_devices for each in device.detectors]
    catches = {fault for each in (*of_sensors, *of_devices) for fault in each.catches}
    return ServiceOptions(
        topics=Topics(configuration.gateway.topic_base),
        digest=configuration.digests(),
        inputs=configuration.inputs_digest(),
        store=keep.path,
        filters=tuple(each.topic for each in configuration.inputs),
        about={
            "gateway": configuration.gateway.name,
            "version": VERSION,
            "catches": sorted(catches),
            "instance": instance,
            "client_id": (configuration.outbound or configuration.inbound).client_id,
        },
        commit_s=keep.commit_s,
        in_flight=configuration.broker.in_flight,
        quiet_s=QUIET_S + configuration.broker.linger_s,
        backlog_per_second=keep.backlog_per_second,
        forget_days=configuration.limits.forget_days,
        queued=all(each.qos > 0 for each in configuration.inputs),
        onlooker=onlooker or NoOnlooker(),
        home_assistant=announcer_of(configuration),
    )


def subscriptions_of(configuration: Configuration) -> list[Subscription]:
    """The subscriptions of the inbound link.

    A filter covered by another one is left out, because a broker may deliver a message once for each matching filter.
    """
    wanted = {each.topic: each.qos for each in configuration.inputs}
    for each in configuration.inputs:
        availability = availability_topic(each)
        if availability is not None:
            wanted.setdefault(availability.subscribed, 1)
    widest = [each for each in wanted if not any(covers(other, each) for other in wanted if other != each)]
    subscriptions = [
        Subscription(each, max(qos for topic, qos in wanted.items() if covers(each, topic))) for each in widest
    ]
    if configuration.commands.enabled:
        subscriptions.append(Subscription(Topics(configuration.gateway.topic_base).command("+"), 1))
    return subscriptions


def inbound_link(configuration: Configuration, options: ServiceOptions, clock: Callable[[], float]) -> ServiceLink:
    """The link for readings, which also serves events if there is no other.

    Raises:
        PasswordError: A password can't be obtained.
    """
    if configuration.kafka is not None:
        from edge.shell.link.kafka.kafka_link import KafkaLink  # noqa: PLC0415 - needs an extra

        return KafkaLink(kafka_options(configuration.kafka, configuration), subscriptions_of(configuration), clock)
    made = link_options(configuration.inbound, configuration)
    if configuration.outbound is None:
        made = _for_events(made, configuration.inbound, options, configuration)
    return Link(made, subscriptions_of(configuration), clock)


def outbound_link(
    configuration: Configuration, options: ServiceOptions, clock: Callable[[], float], inbound: ServiceLink
) -> ServiceLink:
    """The link for events.

    Raises:
        PasswordError: A password can't be obtained.
    """
    if configuration.outbound is None:
        return inbound if configuration.kafka is None else NoBroker(inbound.wake)
    made = link_options(configuration.outbound, configuration)
    return Link(_for_events(made, configuration.outbound, options, configuration), (), clock, inbound.wake)


def _for_events(
    made: LinkOptions, connection: Connection, options: ServiceOptions, configuration: Configuration
) -> LinkOptions:
    status, home_assistant = options.topics.status, configuration.homeassistant
    will = (status, status_json("offline", options.about or {}))
    births = home_assistant.hears if home_assistant is not None and home_assistant.enabled else None
    return replace(made, will=will, echo=status if connection.check_delivery else None, births=births)


def announcer_of(configuration: Configuration) -> Onlooker:
    """The announcer for Home Assistant; None without its table in the configuration."""
    given = configuration.homeassistant
    if given is None:
        return NoOnlooker()
    options = HomeAssistantOptions(
        gateway=configuration.gateway.name,
        version=VERSION,
        enabled=given.enabled,
        prefix=given.prefix,
        birth=given.birth_payload.encode(),
        sensors=given.sensors,
        most=given.most_sensors,
        events=given.events,
        url=given.url or "",
    )
    return Announcer(options, Topics(configuration.gateway.topic_base))


def store_files(configuration: Configuration) -> StoreFiles:
    """The store's path and the options for opening it."""
    return StoreFiles(configuration.store.path, configuration.store.durability, _store_limits(configuration.store))


def _store_limits(keep: StoreTable) -> StoreLimits:
    return StoreLimits(
        events_days=keep.events_days,
        events_bytes=keep.events_bytes,
        outbox_events=keep.outbox_events,
        outbox_bytes=keep.outbox_bytes,
        outbox_days=keep.outbox_days,
        dead_letters=keep.dead_letters,
        journal_days=keep.journal_days,
        journal_bytes=keep.journal_bytes,
        free_disk_bytes=keep.free_disk_bytes,
    )


def availability_topic(given: Input) -> AvailabilityTopic | None:
    """The availability topics of an input's devices; None if they have none."""
    wanted = given.availability
    return None if wanted is None else availability_of(wanted, given.topic, given.sensor)


def _routes(given: Input, configuration: Configuration) -> Iterator[Route]:
    """The routes of an input; those of availability come first."""
    wanted = availability_topic(given)
    if wanted is not None:
        words = AvailabilityDecoder(
            (AVAILABLE | {*given.available}) - {*given.unavailable},
            (UNAVAILABLE | {*given.unavailable}) - {*given.available},
        )
        route = Route(wanted.matching, wanted.device, words, Repetition.ON_CHANGE, beside=given.topic, of_devices=True)
        yield route
    decoder = decoder_of(given, configuration.limits)
    yield Route(
        filter=given.topic,
        template=given.sensor,
        decoder=decoder,
        repetition=decoder.repetition if given.repetition is None else Repetition(given.repetition),
        time_from_payload=given.time == "payload",
        ignore_topics=given.ignore_topics,
        no_values=frozenset(each for each in given.no_value if not isinstance(each, str)),
        by_format={} if given.format == "sparkplug" else decoders_by_format(given, configuration.limits),
    )
