"""Starting: creates a service from a configuration, opening the store and replaying its journal."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from config.schema import Configuration
from edge.shell.link import ServiceLink
from edge.shell.onlooker import Onlooker
from edge.shell.options import ServiceOptions
from edge.shell.publishing.host_state import HostStates
from edge.shell.service.assembly.links import hosts_of
from edge.shell.service.assembly.parts import inbound_link, make_pipeline, outbound_link, service_options, store_files
from edge.shell.service.assembly.sinks import sinks_of
from edge.shell.service.reload import Reloader
from edge.shell.service.service import RETRY_S, Service
from edge.shell.service.sink_keeper import SinkKeeper
from edge.shell.service.state.stored_state import Resumed, resume
from edge.shell.service.supervisor import Supervisor
from edge.shell.store import Damage, SqliteStore, StoreError, StoreFiles
from edge.shell.store.protection.owner import owned
from edge.shell.store.protection.permissions import permission_problem
from edge.shell.system.signals import Signals, StopRequested
from edge.shell.system.wall_clock import WallClock

if TYPE_CHECKING:
    from edge.shell.broker.embedded import EmbeddedBroker

T = TypeVar("T")

log = logging.getLogger("edgewarden.service")


@contextmanager
def service_of(
    configuration: Configuration,
    signals: Signals | None = None,
    path: Path | None = None,
    onlooker: Onlooker | None = None,
) -> Iterator[Service]:
    """Create the service, with the embedded broker if configured; everything is closed at the end.

    Waits while the disk is full or read-only.

    Args:
        configuration: The configuration.
        signals: The requests made by signals; none by default.
        path: Path of the configuration, read again on SIGHUP.
        onlooker: An observer of the service; by default there is none.

    Raises:
        StopRequested: The service was asked to stop before it was ready.
        StoreError: The store can't be opened for a reason that waiting can't fix, or another process uses it.
        BrokerError: The embedded broker can't be started.
        PasswordError: A password can't be obtained.
    """
    keep = configuration.store
    signals, supervisor = signals or Signals(), Supervisor()

    def working() -> None:
        signals.check()
        supervisor.working()

    with ExitStack() as open_things:
        working()
        problem = permission_problem(keep.path)
        if problem:
            raise StoreError(problem)
        _patiently(lambda: open_things.enter_context(owned(keep.path)), working, supervisor)
        options = service_options(configuration, secrets.token_hex(8), onlooker)
        if configuration.broker.embedded:
            open_things.callback(_embedded_broker(configuration).stop)
        files = store_files(configuration)
        store, damage, resumed, ended = _patiently(
            lambda: _open(files, configuration, options, working), working, supervisor
        )
        _, recollection, _ = resumed
        clock = WallClock(configuration.limits.earliest_time, recollection.last_arrival, aged=recollection.pruned)
        service, hosts = _assembled(configuration, options, store, resumed, clock, files, path, signals, supervisor)
        open_things.callback(hosts.close)
        _report_losses(service, resumed, damage, ended, clock())
        open_things.callback(service.close)
        hosts.follow(hosts_of(configuration))
        yield service


def _embedded_broker(configuration: Configuration) -> EmbeddedBroker:
    """The embedded broker, started."""
    from edge.shell.broker.embedded import EmbeddedBroker  # noqa: PLC0415 - few services have one

    folder = configuration.store.path.parent / "broker"
    broker = EmbeddedBroker(folder, port=configuration.broker.port, moves=False)
    broker.start()
    log.info("embedded_broker kind=%s port=%d", broker.kind, broker.port)
    return broker


def _assembled(
    configuration: Configuration,
    options: ServiceOptions,
    store: SqliteStore,
    resumed: Resumed,
    clock: WallClock,
    files: StoreFiles,
    path: Path | None,
    signals: Signals,
    supervisor: Supervisor,
) -> tuple[Service, HostStates]:
    """The service with its links, sinks and Sparkplug host states, for an open store and a resumed core."""
    pipeline, recollection, _ = resumed
    sinks = SinkKeeper(configuration.store.path, sinks_of(configuration, options), clock)
    inbound = inbound_link(configuration, options, clock)
    inbound.resume(store.positions())
    outbound = outbound_link(configuration, options, clock, inbound)
    hosts = HostStates(lambda: _listens(service.current[2]), clock)
    reloader = Reloader(path, configuration, options, files, clock, signals, supervisor, hosts)
    service = Service(
        pipeline,
        store,
        inbound,
        outbound,
        options,
        replace_store=reloader.replace_store,
        last_arrival=recollection.last_arrival,
        clock=clock,
        supervisor=supervisor,
        signals=signals,
        reload=reloader,
        sinks=sinks,
    )
    return service, hosts


def _report_losses(
    service: Service, resumed: Resumed, damage: Damage | None, ended: dict[str, float], now: float
) -> None:
    """Report data lost before the start, and publish the states of sensors whose incidents ended recently."""
    pipeline, _, gaps = resumed
    if damage is not None:
        gaps.append(damage.gap(now))
    known = {sensor: time for sensor, time in ended.items() if pipeline.sensors.find(sensor) is not None}
    service.announce(gaps, pipeline.open_incidents.over(known))


def _listens(inbound: ServiceLink) -> bool:
    """Whether readings can arrive: the broker is connected and has answered the subscriptions."""
    return inbound.connected and inbound.wait_subscribed(0)


def _open(
    files: StoreFiles, configuration: Configuration, options: ServiceOptions, working: Callable[[], None]
) -> tuple[SqliteStore, Damage | None, Resumed, dict[str, float]]:
    """Open the store and resume from it; damage found at this point also leads to a replacement.

    Returns:
        The store, the outcome of any damage, the resumed state, and the times at which incidents ended recently, by
        sensor.
    """
    store, damage = files.open(time.time())
    try:
        resumed = _resume(configuration, store, options, working, is_whole=damage is None)
        return store, damage, resumed, store.ended()
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
    resumed = _resume(configuration, replaced, options, working, is_whole=False)
    return replaced, damage, resumed, replaced.ended()


def _resume(
    configuration: Configuration,
    store: SqliteStore,
    options: ServiceOptions,
    working: Callable[[], None],
    *,
    is_whole: bool,
) -> Resumed:
    return resume(
        lambda: make_pipeline(configuration, tells_of_sensors=True),
        store,
        options.digest,
        options.inputs,
        time.time(),
        working,
        is_whole=is_whole,
    )


def _patiently(action: Callable[[], T], working: Callable[[], None], supervisor: Supervisor) -> T:
    """Retry an action until a full or read-only disk allows it."""
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
