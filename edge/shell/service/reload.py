"""Reloading: applies a changed configuration to the running service as a restart would, without the downtime.

The file is validated as a whole before anything changes. Then received data is committed and a snapshot written, and a
new core resumes from the store in the same way as after a restart. Links with unchanged options keep their connections
and received messages. If anything fails, the service continues unchanged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from config.loading import load
from config.problems import ConfigurationError
from config.schema import Configuration
from config.tables.passwords import PasswordError
from edge.shell.link import ServiceLink
from edge.shell.options import ServiceOptions
from edge.shell.publishing.host_state import HostStates
from edge.shell.service.assembly.links import hosts_of
from edge.shell.service.assembly.parts import (
    inbound_link,
    make_pipeline,
    outbound_link,
    service_options,
    store_files,
    subscriptions_of,
)
from edge.shell.service.assembly.sinks import sinks_of
from edge.shell.service.service import Service
from edge.shell.service.state.stored_state import resume
from edge.shell.service.supervisor import Supervisor
from edge.shell.store import Damage, SqliteStore, StoreError, StoreFiles
from edge.shell.system.garbage import leave_out
from edge.shell.system.logs import BOUNDED, set_level
from edge.shell.system.signals import Signals, StopRequested

log = logging.getLogger("edgewarden.service")

FIXED = (("gateway", "name"), ("gateway", "base"), ("store", "path"), ("store", "durability"), ("broker", "embedded"))
"""Keys that can't be changed while the service runs."""

FIXED_WHERE_EMBEDDED = (("broker", "host"), ("broker", "port"))

MOST_PROBLEMS = 20
"""Maximum number of problems of an invalid configuration that are logged."""


def as_running(running: Configuration, wanted: Configuration) -> tuple[Configuration, list[str]]:
    """The part of a new configuration that can be applied while running, and the keys of what can't.

    Args:
        running: The configuration that the service runs with.
        wanted: The new configuration.
    """
    is_ours = running.broker.embedded or wanted.broker.embedded
    fixed = FIXED + (FIXED_WHERE_EMBEDDED if is_ours else ())
    left: list[str] = []
    for table, key in fixed:
        theirs, ours = getattr(wanted, table), getattr(getattr(running, table), key)
        if getattr(theirs, key) != ours:
            left.append(f"{table}.{key}")
            wanted = wanted.replaced(**{table: theirs.replaced(**{key: ours})})
    if wanted.page != running.page:
        left.append("page")
        wanted = wanted.replaced(page=running.page)
    return wanted, left


def _alike(link: ServiceLink, other: ServiceLink) -> bool:
    """Whether a connection of one link can serve the other; a new will applies to the next connection."""
    return type(link) is type(other) and _without_will(link) == _without_will(other)


def _without_will(link: ServiceLink) -> object:
    return replace(link.options, will=None)  # type: ignore[type-var] # the options of all links are data classes


def _refuse(problems: Sequence[str]) -> None:
    for each in problems[:MOST_PROBLEMS]:
        log.error("reload_refused problem=%r", each, extra=BOUNDED)


class Reloader:
    """Reads a configuration again and applies it to a service.

    Args:
        path: The file; None if there is none.
        configuration: The current configuration.
        options: The current loop options.
        files: The current store files.
        clock: The current time, in seconds since the epoch, UTC.
        signals: The requests made by signals.
        supervisor: Notified when a reload begins and while it is in progress.
        hosts: Publishes the states of the Sparkplug hosts.
    """

    def __init__(
        self,
        path: Path | None,
        configuration: Configuration,
        options: ServiceOptions,
        files: StoreFiles,
        clock: Callable[[], float],
        signals: Signals,
        supervisor: Supervisor,
        hosts: HostStates,
    ) -> None:
        self._path = path
        self._hosts = hosts
        self._configuration = configuration
        self._instance = str((options.about or {})["instance"])
        self._onlooker = options.onlooker
        self._files = files
        self._clock = clock
        self._signals = signals
        self._supervisor = supervisor

    def __call__(self, service: Service) -> None:
        """Reload, or log why not. The service reports that it is ready once its loop runs again."""
        if self._path is None:
            log.warning("reload_refused reason='there is no configuration file'")
            return
        self._supervisor.reloading()
        log.info("reloading path=%r", str(self._path))
        try:
            self._reload(service, self._path)
        except (ConfigurationError, PasswordError) as error:
            _refuse(str(error).splitlines())
        except StoreError as error:
            _refuse([str(error)])
        except StopRequested:
            log.info("reload_interrupted")

    def replace_store(self, words: str) -> tuple[SqliteStore, Damage]:
        """Move a damaged store aside for the given reason, and open a new one."""
        return self._files.replace(self._clock(), words)

    def _reload(self, service: Service, path: Path) -> None:
        began = time.monotonic()
        configuration, left = as_running(self._configuration, load(path, self._configuration.store.path))
        for each in left:
            log.warning("not_changed key=%s reason='needs a restart'", each, extra=BOUNDED)
        before, store, *links = service.current
        options = service_options(configuration, self._instance, self._onlooker)
        sinks, hosts = sinks_of(configuration, options), hosts_of(configuration)
        made, inbound, outbound = self._links(links[0], links[1], configuration, options)
        sensors = before.sensors.sensors
        if configuration == self._configuration and [inbound, outbound] == links and service.sinks.has(sinks):
            log.info("reloaded changed=false")
            return
        if configuration.limits.sensors < sensors:
            _refuse([f"limits.sensors is {configuration.limits.sensors}, but {sensors} sensors are known"])
            return
        if not service.settle():
            _refuse(["the store can't be written"])
            return
        pipeline, _, gaps = resume(
            lambda: make_pipeline(configuration, tells_of_sensors=True),
            store,
            options.digest,
            options.inputs,
            self._clock(),
            self._working,
        )
        pipeline.counters.go_on_from(before.counters)
        self._configuration, self._files = configuration, store_files(configuration)
        store.limits = self._files.limits
        inbound.resume(store.positions())
        service.follow(pipeline, options, inbound, outbound)
        service.announce(gaps, {})
        service.sinks.follow(sinks)
        inbound.follow(subscriptions_of(configuration), made[0].options.will)
        if outbound is not inbound:
            outbound.follow((), made[1].options.will)
        self._hosts.follow(hosts)
        set_level(configuration.log.level)
        leave_out()
        log.info("reloaded changed=true sensors=%d seconds=%.2f", sensors, time.monotonic() - began)

    def _links(
        self, inbound: ServiceLink, outbound: ServiceLink, configuration: Configuration, options: ServiceOptions
    ) -> tuple[tuple[ServiceLink, ServiceLink], ServiceLink, ServiceLink]:
        """Links created for another configuration, and the new or existing ones to continue with."""
        new_inbound = inbound_link(configuration, options, self._clock)
        chosen = inbound if _alike(inbound, new_inbound) else new_inbound
        new_outbound = outbound_link(configuration, options, self._clock, chosen)
        if new_outbound is chosen or chosen is not inbound or inbound is outbound or not _alike(outbound, new_outbound):
            return (new_inbound, new_outbound), chosen, new_outbound
        return (new_inbound, new_outbound), chosen, outbound

    def _working(self) -> None:
        self._signals.check()
        self._supervisor.working()
