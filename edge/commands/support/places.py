"""Places: `--config` and `--store` select a command's configuration and store, in the same way for every command.

`--config FILE` (or `-c`) selects the configuration, `edgewarden.toml` by default. `--store FILE` selects the store
itself, for one without a configuration, such as a copy from another gateway.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

if TYPE_CHECKING:
    from config.schema import Configuration

USUAL = Path("edgewarden.toml")
FILE = click.Path(path_type=Path)

Command = TypeVar("Command", bound=Callable[..., Any])


class Place:
    """The configuration and the store that a command reads.

    Args:
        config: Path of the configuration as given; None if it wasn't.
        store: Path of the store, if given.
    """

    def __init__(self, config: Path | None, store: Path | None) -> None:
        self._config = config
        self._store = store
        self._loaded: Configuration | None = None

    @property
    def config(self) -> Path:
        """Path of the configuration."""
        return self._config or USUAL

    def configuration(self) -> Configuration:
        """The configuration.

        Raises:
            ConfigurationError: It is invalid or missing.
        """
        if self._loaded is None:
            from config.loading import load  # noqa: PLC0415 - loaded when a command runs

            self._loaded = load(self.config)
        return self._loaded

    def configuration_if_any(self) -> Configuration | None:
        """The configuration; None if only a store was given, and there is no configuration in this directory.

        Raises:
            ConfigurationError: It is invalid, or it was given and is missing.
        """
        if self._config is None and self._store is not None and not USUAL.exists():
            return None
        return self.configuration()

    def whose(self, gateway: str) -> str:
        """A note if a given store is of another gateway than the configuration; empty if it isn't, or isn't known."""
        from config.problems import ConfigurationError  # noqa: PLC0415 - loaded when a command runs

        try:
            own = self.configuration().gateway.name if self._store and gateway and self.config.exists() else gateway
        except ConfigurationError:
            return ""
        return "" if own == gateway else f"This is the store of {gateway}; {self.config} is about {own}."

    def store(self) -> Path:
        """Path of the store: the given one, else the configured one.

        Raises:
            ConfigurationError: The configuration is needed, and is invalid or missing.
        """
        if self._store is None:
            return self.configuration().store.path
        return Path(os.path.realpath(self._store)) if self._store.is_symlink() else self._store


def config_option(text: str = "Configuration.", *, name: str = "path") -> Callable[[Command], Command]:
    """Add `--config FILE`, or `-c`, with `edgewarden.toml` as its default."""
    return click.option("--config", "-c", name, type=FILE, default=USUAL, show_default=True, help=text)


def other_config_option(
    text: str, *, multiple: bool = False, name: str = "config_path"
) -> Callable[[Command], Command]:
    """Add `--config FILE`, or `-c`, without a default: if it isn't given, the shipped defaults are used."""
    return click.option("--config", "-c", name, type=FILE, multiple=multiple, help=text)


def reads_store(command: Command) -> Command:
    """Add `--config` and `--store`; the command gets a `Place` as its argument `place`."""

    @click.option("--config", "-c", "config", type=FILE, help=f"Configuration.  [default: {USUAL}]")
    @click.option("--store", "store", type=FILE, help="The store's file, instead of the configured one.")
    @wraps(command)
    def with_place(*, config: Path | None, store: Path | None, **others: Any) -> Any:
        return command(place=Place(config, store), **others)

    return with_place  # type: ignore[return-value]


def names_configuration(command: Command) -> Command:
    """Add `--config` and the equivalent argument PATH; the command gets it as `path`, None if neither is given."""

    @click.argument("path", type=FILE, required=False)
    @click.option("--config", "-c", "config", type=FILE, help="Same as PATH.")
    @wraps(command)
    def with_path(*, path: Path | None, config: Path | None, **others: Any) -> Any:
        if path is not None and config is not None:
            raise click.UsageError("name the configuration once: as PATH or with --config")
        return command(path=path or config, **others)

    return with_path  # type: ignore[return-value]


def one_glob(argument: str | None, option: str | None) -> str | None:
    """The glob given as an argument or as an option.

    Raises:
        UsageError: Both are given, and they differ.
    """
    if argument is not None and option is not None and argument != option:
        raise click.UsageError("give the glob once: as GLOB or with --sensor")
    return argument if option is None else option


class ForwardingGroup(click.Group):
    """A group that passes options before a command's name to that command.

    An option of a command may therefore be anywhere: `edgewarden --config a.toml events` is equivalent to `edgewarden
    events --config a.toml`. A command without such an option reports it itself.

    Attributes:
        handed_on: The options, with whether each takes a value.
    """

    handed_on: ClassVar[dict[str, bool]] = {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the options behind the command's name before arguments are parsed."""
        return super().parse_args(ctx, self._moved(args))

    def _moved(self, args: list[str]) -> list[str]:
        ours: list[str] = []
        moved: list[str] = []
        rest = list(args)
        while rest and rest[0].startswith("-") and rest[0] != "--":
            word = rest.pop(0)
            name, equals, _ = word.partition("=")
            if name not in self.handed_on:
                ours.append(word)
                continue
            moved.append(word)
            if self.handed_on[name] and not equals and rest:
                moved.append(rest.pop(0))
        return [*ours, *rest[:1], *moved, *rest[1:]]
