"""Run a command that ends when its parent does: `python child_process.py PARENT_PID COMMAND [ARGUMENT ...]`.

On Linux the kernel sends the command SIGTERM when the *thread* that started it ends for any reason. Elsewhere the
command isn't tied.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def run(parent: int, command: list[str]) -> None:
    """Replace this process by the command, tied to the parent; the tie persists unless the command changes its user."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the parent has ended already")
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2:])
