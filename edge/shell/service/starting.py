"""Starting: from a configuration to a service that is ready to run; the store is opened and its journal replayed."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from config.schema import Configuration
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import Link
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

T = TypeVar("T")

log = logging.getLogger("edgewarden.service")


@contextmanager
def service_of(
    configuration: Configuration,
    signals: Signals | None = None,
    path: Path | None = None,
    onlooker: Onlooker | None = None,
) -> Iterator[Service]:
    """The service, ready to run, with its broker if it is to bring one; all is closed at the end.

    A disk that is full or read-only is waited for.

    Args:
        configuration: The configuration.
        signals: The requests made by signals; none by default.
        path: The configuration's file, to be read again when the signals ask for it.
        onlooker: An observer of the service; by default there is none.

    Raises:
        StopRequested: The service was asked to end before it was ready.
        StoreError: The store can't be opened, and waiting won't help, or another process works on it.
        BrokerError: The embedded broker can't be started.
        PasswordError: A password can't be had.
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
            broker = EmbeddedBroker(keep.path.parent / "broker", port=configuration.broker.port, moves=False)
            broker.start()
            open_things.callback(broker.stop)
            log.info("embedded_broker kind=%s port=%d", broker.kind, broker.port)
        files = store_files(configuration)
        store, damage, resumed, ended = _patiently(
            lambda: _open(files, configuration, options, working), working, supervisor
        )
        pipeline, recollection, gaps = resumed
        clock = WallClock(configuration.limits.earliest_time, recollection.last_arrival, aged=recollection.pruned)
        sinks = SinkKeeper(keep.path, sinks_of(configuration, options), clock)
        inbound = inbound_link(configuration, options, clock)
        outbound = outbound_link(configuration, options, clock, inbound)
        hosts = HostStates(lambda: _listens(service.current[2]), clock)
        open_things.callback(hosts.close)
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
        if damage is not None:
            gaps.append(damage.gap(clock()))
        known = {sensor: time for sensor, time in ended.items() if pipeline.sensors.find(sensor) is not None}
        service.tell(gaps, pipeline.open_incidents.over(known))
        open_things.callback(service.close)
        hosts.follow(hosts_of(configuration))
        yield service


def _listens(inbound: Link) -> bool:
    """Whether readings would come: the broker is there, and has answered to the subscriptions."""
    return inbound.connected and inbound.wait_subscribed(0)


def _open(
    files: StoreFiles, configuration: Configuration, options: ServiceOptions, working: Callable[[], None]
) -> tuple[SqliteStore, Damage | None, Resumed, dict[str, float]]:
    """Open the store and resume from it; what turns out to be damaged only then is replaced too.

    Returns:
        The store, what became of a damaged one, what it gave, and when incidents have ended of late, by sensor.
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
