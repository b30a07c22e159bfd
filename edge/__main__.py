"""`edgewarden`, and `python -m edge`: the signals that end a service count before anything large is loaded."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    if next((each for each in sys.argv[1:] if not each.startswith("-")), "") == "run":
        # Used until `run` has its own handlers: nothing is open yet, so nothing needs an orderly end.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from edge.commands import main as commands  # noqa: PLC0415 - loaded when signals are taken care of

    commands(prog_name="edgewarden")


if __name__ == "__main__":
    main()
