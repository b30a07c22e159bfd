"""Assembly: from a configuration to the parts of the service, joined."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from config.gateway_topics import GatewayTopics
from config.loading import load, parse
from config.passwords import password_of
from config.schema import Configuration, Store
from config.transport import Connection, Input
from edge.core.decoders import Decoder, FieldsDecoder, NumberDecoder
from edge.core.decoders.base import Repetition
from edge.core.intake import IntakeLimits
from edge.core.pipeline import Pipeline
from edge.core.routes import Route, Routes
from edge.core.topics import Topics
from edge.shell.broker import EmbeddedBroker
from edge.shell.broker_window import QUIET_S
from edge.shell.link import Link, LinkOptions, Subscription, TlsOptions
from edge.shell.resume import Resumed, resume
from edge.shell.self_report import status_json
from edge.shell.service import RETRY_S, Service
from edge.shell.service_options import ServiceOptions
from edge.shell.signals import Signals, StopRequested
from edge.shell.store import Damage, Limits, SqliteStore, StoreError, StoreFiles
from edge.shell.store.owner import owned
from edge.shell.supervisor import Supervisor
from edge.shell.wall_clock import WallClock
from edge.version import version

T = TypeVar("T")

log = logging.getLogger("edgewarden.service")

DEFAULTS = """
[[input]]
topic = "#"
"""


def load_or_default(path: Path | None, gateway: str | None = None) -> Configuration:
    """The configuration at a path, or the shipped defaults for every topic.

    Raises:
        ConfigurationError: The file is faulty.
    """
    configuration = load(path) if path is not None else parse(DEFAULTS, "defaults").configuration
    if gateway is None:
        return configuration
    named = configuration.gateway.model_copy(update={"name": gateway})
    return configuration.model_copy(update={"gateway": named})


def make_pipeline(configuration: Configuration) -> Pipeline:
    """The core, as the configuration wants it, with nothing learned yet."""
    limits = configuration.limits
    topics = Topics(configuration.gateway.topic_base)
    gateways = GatewayTopics(configuration.gateway.base, configuration.gateway.name)
    routes = Routes([_route(each, configuration) for each in configuration.inputs], topics.base, gateways)
    return Pipeline(
        configuration.gateway.name,
        topics,
        routes,
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
    )


@contextmanager
def service_of(configuration: Configuration, signals: Signals | None = None) -> Iterator[Service]:
    """The service, ready to run, with its broker if it is to bring one; all is closed at the end.

    A disk that is full or read-only is waited for.

    Args:
        configuration: What the operator says.
        signals: What the signals ask for, at any moment; nothing by default.

    Raises:
        StopRequested: The service was asked to end before it was ready.
        StoreError: The store can't be opened, and waiting won't help, or another process works on it.
        BrokerError: The embedded broker can't be started.
        PasswordError: A password can't be had.
    """
    keep = configuration.store
    topics = Topics(configuration.gateway.topic_base)
    of_sensors = [each for rule in configuration.profiles for each in rule.detectors]
    of_devices = [each for device in configuration.resolved_devices for each in device.detectors]
    catches = {fault for each in (*of_sensors, *of_devices) for fault in each.catches}
    about: dict[str, object] = {
        "gateway": configuration.gateway.name,
        "version": version(),
        "catches": sorted(catches),
        "instance": secrets.token_hex(8),
    }
    will = (topics.status, status_json("offline", about))
    subscriptions = [Subscription(each.topic, each.qos) for each in configuration.inputs]
    if configuration.commands.enabled:
        subscriptions.append(Subscription(topics.command("+"), 1))
    options = ServiceOptions(
        topics=topics,
        digest=configuration.digest(),
        inputs=configuration.inputs_digest(),
        store=keep.path,
        filters=tuple(each.topic for each in configuration.inputs),
        about=about,
        commit_s=keep.commit_s,
        in_flight=configuration.broker.in_flight,
        quiet_s=QUIET_S + configuration.broker.linger_s,
        backlog_per_second=keep.backlog_per_second,
        queued=all(each.qos > 0 for each in configuration.inputs),
    )
    signals, supervisor = signals or Signals(), Supervisor()

    def working() -> None:
        signals.check()
        supervisor.working()

    with ExitStack() as open_things:
        working()
        _patiently(lambda: open_things.enter_context(owned(keep.path)), working, supervisor)
        inbound_options = link_options(configuration.inbound, configuration)
        outbound = configuration.outbound
        if configuration.broker.embedded:
            broker = EmbeddedBroker(keep.path.parent / "broker", port=configuration.broker.port)
            broker.start()
            open_things.callback(broker.stop)
            inbound_options = replace(inbound_options, port=broker.port)
            options = replace(options, in_flight=broker.in_flight or options.in_flight)
            log.info("embedded_broker kind=%s port=%d", broker.kind, broker.port)
        files = StoreFiles(keep.path, keep.durability, _store_limits(keep))
        store, damage, resumed = _patiently(lambda: _open(files, configuration, options, working), working, supervisor)
        pipeline, recollection, gaps = resumed
        clock = WallClock(configuration.limits.earliest_time, recollection.last_arrival)
        if outbound is None:
            echo = topics.status if configuration.broker.check_delivery else None
            inbound = outbound_link = Link(replace(inbound_options, will=will, echo=echo), subscriptions, clock)
        else:
            inbound = Link(inbound_options, subscriptions, clock)
            outbound_options = replace(
                link_options(outbound, configuration),
                will=will,
                echo=topics.status if outbound.check_delivery else None,
            )
            outbound_link = Link(outbound_options, (), clock, inbound.wake)
        service = Service(
            pipeline,
            store,
            inbound,
            outbound_link,
            options,
            replace_store=lambda words: files.replace(clock(), words),
            last_arrival=recollection.last_arrival,
            clock=clock,
            supervisor=supervisor,
            signals=signals,
        )
        if damage is not None:
            gaps.append(damage.gap(clock()))
        service.tell(gaps)
        open_things.callback(service.close)
        yield service


def _open(
    files: StoreFiles, configuration: Configuration, options: ServiceOptions, working: Callable[[], None]
) -> tuple[SqliteStore, Damage | None, Resumed]:
    """Open the store and resume from it; what turns out to be damaged only then is replaced too."""
    store, damage = files.open(time.time())
    try:
        return store, damage, _resume(configuration, store, options, working)
    except StopRequested:
        store.close()
        raise
    except StoreError as error:
        if not error.damaged:
            store.close()
            raise
        words = str(error)
    replaced, damage = files.replace(time.time(), words)
    store.close()
    return replaced, damage, _resume(configuration, replaced, options, working)


def _resume(
    configuration: Configuration, store: SqliteStore, options: ServiceOptions, working: Callable[[], None]
) -> Resumed:
    return resume(lambda: make_pipeline(configuration), store, options.digest, options.inputs, time.time(), working)


def _patiently(action: Callable[[], T], working: Callable[[], None], supervisor: Supervisor) -> T:
    """Do what a full or read-only disk may prevent, again and again until it works."""
    reported = False
    while True:
        try:
            return action()
        except StoreError as error:
            if not error.temporary:
                raise
            if not reported:
                log.error("store_not_opened error=%r waiting=true", str(error))  # noqa: TRY400 - its words say it all
                supervisor.status(f"waiting for the disk: {error}")
            reported = True
            time.sleep(RETRY_S)
            working()


def _store_limits(keep: Store) -> Limits:
    return Limits(
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


def _route(given: Input, configuration: Configuration) -> Route:
    limits = configuration.limits
    decoder: Decoder
    if given.format == "number":
        decoder = NumberDecoder(given.values)
    else:
        chosen = {"value_key": given.value_key, "time_keys": given.time_keys}
        decoder = FieldsDecoder(
            **{name: each for name, each in chosen.items() if each is not None},  # type: ignore[arg-type]
            zone=ZoneInfo(given.zone),
            values=given.values,
            depth=limits.depth,
            readings=limits.readings_per_message,
        )
    return Route(
        filter=given.topic,
        template=given.sensor,
        decoder=decoder,
        repetition=decoder.repetition if given.repetition is None else Repetition(given.repetition),
        time_from_payload=given.time == "payload",
    )


def link_options(connection: Connection, configuration: Configuration) -> LinkOptions:
    """How the service reaches a broker.

    Raises:
        PasswordError: A password can't be had.
    """
    tls = connection.tls
    return LinkOptions(
        host=connection.host,
        port=connection.port,
        client_id=connection.client_id or "",
        username=connection.username,
        password=password_of(connection),
        tls=None if tls is None else TlsOptions(*map(_text, (tls.ca_file, tls.certificate_file, tls.key_file))),
        keepalive_s=connection.keepalive_s,
        version=connection.version,
        clean_session=False,
        receive_messages=configuration.limits.receive_messages,
        receive_bytes=configuration.limits.receive_bytes,
        receive_maximum=configuration.broker.in_flight,
        linger_s=configuration.broker.linger_s,
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
