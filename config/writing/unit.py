"""The systemd unit, with the paths of an installed command."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

UNIT = "edgewarden.service"
COMMAND = "/opt/edgewarden/bin/edgewarden"
CONFIGURATION = "/etc/edgewarden/edgewarden.toml"
STATE_FOLDER = "/var/lib/edgewarden"

HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 - nothing is written there
"""Folders that the service doesn't see: ProtectHome=, PrivateTmp=."""


class UnitError(Exception):
    """No unit can be created for a command; the message gives the reason and a remedy."""


def unit(command: Path, interpreter: Path) -> str:
    """The unit for a command.

    Args:
        command: The installed command's absolute path.
        interpreter: The prefix of its Python.

    Raises:
        UnitError: The service could not see the command, or systemd can't represent its path.
    """
    for path in (command, interpreter):
        hidden = next((each for each in HIDDEN if path.is_relative_to(each)), None)
        if hidden is not None:
            raise UnitError(
                f"{path} is below {hidden}, which the unit hides from the service; install it elsewhere, as root, with"
                " the system's Python, in the project's folder: python3 -m venv /opt/edgewarden"
                f" && /opt/edgewarden/bin/pip install . && {COMMAND} init --systemd"
            )
    words = str(command)
    if any(each.isspace() or each in "\"'\\%$;" for each in words):
        raise UnitError(f"{command} has characters with a special meaning to systemd; install it in another folder")
    text = files("config.writing").joinpath(UNIT).read_text("utf-8")
    return text.replace(COMMAND, words)
