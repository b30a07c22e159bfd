"""Commands shown by the demo, complete so that they can be used in another terminal."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def program() -> str:
    """The command of this program: its bare name if that is on PATH, else its full path."""
    started = Path(sys.argv[0])
    if started.name != "edgewarden":
        return f"{shlex.quote(sys.executable)} -m edge"
    found = shutil.which(started.name)
    if found is not None and Path(found).resolve() == started.resolve():
        return started.name
    return shlex.quote(str(started.absolute()))


def follow_command(port: int, topic: str, store: Path) -> str:
    """The command to follow events live: by mosquitto_sub if it is installed, else from the store."""
    if shutil.which("mosquitto_sub") is not None:
        return f"mosquitto_sub -h 127.0.0.1 -p {port} -v -t {shlex.quote(topic)}"
    return f"{events_command(store)} --follow"


def events_command(store: Path) -> str:
    """The command to list the events of a store."""
    return f"{program()} events --store {shlex.quote(str(store))}"
