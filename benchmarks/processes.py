"""CPU seconds and memory of a process, as counted by the kernel."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int) -> float:
    """Resident memory of a process, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def bytes_written(pid: int) -> int:
    """Bytes that a process has passed to the kernel."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("wchar"))
