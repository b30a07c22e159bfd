"""The readings that the service has taken in, according to its journal: `edgewarden export`."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from running import ROOT

from edge.core.model.readings.messages import Reading


def exported(store: Path) -> list[Reading]:
    """The readings in a store's journal, in the order of their arrival.

    Raises:
        RuntimeError: The command failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "edge", "export", str(store)],
        cwd=store.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"edgewarden export: {done.stderr[-200:]}")
    rows = csv.DictReader(io.StringIO(done.stdout))
    return [
        Reading(row["sensor"], datetime.fromisoformat(row["time"]).timestamp(), float(row["value"])) for row in rows
    ]
