"""The readings that the service has taken in, according to its journal: `edgewarden export`."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

from running import run_command

from edge.core.model.readings.messages import Reading


def exported(store: Path) -> list[Reading]:
    """The readings in a store's journal, in the order of their arrival.

    Raises:
        RuntimeError: The command failed.
    """
    done = run_command(store.parent, "export", str(store))
    if done.returncode != 0:
        raise RuntimeError(f"edgewarden export: {done.stderr[-200:]}")
    rows = csv.DictReader(io.StringIO(done.stdout))
    return [
        Reading(row["sensor"], datetime.fromisoformat(row["time"]).timestamp(), float(row["value"])) for row in rows
    ]
