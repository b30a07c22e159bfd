"""Run a command that ends when its parent does: `python child_process.py PARENT_PID COMMAND [ARGUMENT ...]`.

On Linux the kernel sends the command SIGTERM when the *thread* that started it has ended, however it ended.
Elsewhere the command runs as it is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def run(parent: int, command: list[str]) -> None:
    """Become the command, tied to the parent; the tie outlasts that, unless the command changes its user."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the parent has ended already")
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2:])
