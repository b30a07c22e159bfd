from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import os
import sys
from pathlib import Path

import numpy as np

from edge.shell.system.heap import free_large_blocks_at_once


def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


if "at once" in sys.argv:
    free_large_blocks_at_once()
grown = np.ones(2**21)
del grown
arrays = [np.ones(3 * 2**17) for _ in range(40)]
before = resident_mib()
arrays = arrays[1::2]
print(before - resident_mib())
"""


def freed_mib(*arguments: str) -> float:
    """How much memory a process gives back when it frees half of its arrays, which are 120 MiB in all."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries have another heap")
def test_arrays_that_are_freed_go_back_to_the_system() -> None:
    assert freed_mib("at once") > 55.0
    assert freed_mib() < 55.0
