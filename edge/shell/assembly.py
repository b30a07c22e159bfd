"""Assembly: from a configuration to the parts of the service, joined."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from config.loading import load, parse
from config.passwords import password_of
from config.schema import Configuration
from config.transport import Connection, Input
from edge.core.decoders import Decoder, FieldsDecoder, NumberDecoder
from edge.core.decoders.base import Repetition
from edge.core.intake import IntakeLimits
from edge.core.pipeline import Pipeline
from edge.core.routes import Route, Routes
from edge.core.snapshot import SnapshotError
from edge.core.topics import Topics
from edge.shell.broker import EmbeddedBroker
from edge.shell.link import Link, LinkOptions, Subscription, TlsOptions
from edge.shell.service import Service, status_json
from edge.shell.store import Limits, SqliteStore, Store
from edge.version import version

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
    routes = Routes([_route(each, configuration) for each in configuration.inputs], own_prefix=topics.base)
    return Pipeline(
        configuration.gateway.name,
        topics,
        routes,
        configuration.rule_for,
        sensors=limits.sensors,
        limits=IntakeLimits(
            payload_bytes=limits.payload_bytes,
            earliest=limits.earliest_time,
            future_s=limits.future_s,
            dead_letters_per_minute=limits.dead_letters_per_minute,
        ),
    )


def recover(configuration: Configuration, store: Store) -> Pipeline:
    """The core with all that it knew when the store was last written."""
    pipeline = make_pipeline(configuration)
    recollection = store.recall()
    began = time.monotonic()
    try:
        if recollection.state is not None:
            pipeline.restore(recollection.state, configuration.digest())
        for entry in recollection.entries:
            pipeline.relive(entry)
    except SnapshotError as error:
        log.warning("learning_anew reason=%r", str(error))
        pipeline = make_pipeline(configuration)
    else:
        log.info(
            "recovered sensors=%d open_incidents=%d journal_entries=%d seconds=%.2f",
            len(pipeline.sensors),
            len(pipeline.engine.open_incidents),
            len(recollection.entries),
            time.monotonic() - began,
        )
    pipeline.accounts.clear()
    pipeline.continue_after(store.last_sequence())
    return pipeline


@contextmanager
def service_of(configuration: Configuration) -> Iterator[Service]:
    """The service, ready to run, with its broker if it is to bring one; all is closed at the end.

    Raises:
        StoreError: The store can't be opened.
        BrokerError: The embedded broker can't be started.
        PasswordError: A password can't be had.
    """
    keep = configuration.store
    topics = Topics(configuration.gateway.topic_base)
    catches = {fault for rule in configuration.profiles for each in rule.detectors for fault in each.catches}
    about: dict[str, object] = {
        "gateway": configuration.gateway.name,
        "version": version(),
        "catches": sorted(catches),
    }
    will = (topics.status, status_json("offline", about))
    subscriptions = [Subscription(each.topic, each.qos) for each in configuration.inputs]
    with ExitStack() as open_things:
        inbound_options = _link_options(configuration.inbound, configuration)
        outbound = configuration.outbound
        if configuration.broker.embedded:
            broker = EmbeddedBroker(keep.path.parent / "broker", port=configuration.broker.port)
            broker.start()
            open_things.callback(broker.stop)
            inbound_options = replace(inbound_options, port=broker.port)
            log.info("embedded_broker kind=%s port=%d", broker.kind, broker.port)
        store = SqliteStore(
            keep.path,
            keep.durability,
            Limits(keep.events_days, keep.events_bytes, keep.dead_letters, keep.journal_days, keep.journal_bytes),
        )
        open_things.callback(store.close)
        pipeline = recover(configuration, store)
        if outbound is None:
            inbound = outbound_link = Link(replace(inbound_options, will=will), subscriptions)
        else:
            inbound = Link(inbound_options, subscriptions)
            outbound_link = Link(replace(_link_options(outbound, configuration), will=will))
        yield Service(pipeline, store, inbound, outbound_link, topics, configuration.digest(), about)


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


def _link_options(connection: Connection, configuration: Configuration) -> LinkOptions:
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
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
