"""Kills Python workers of Spark between the state and the output of a cell, seven times.

Spark gives a task up after four attempts: of two tasks, one fails for good, and the query with it.

Python imports this module at start-up if its folder is in PYTHONPATH; KILLED_WORKERS names a folder for marker files.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

KILLS = 7

if "KILLED_WORKERS" in os.environ and "pyspark.daemon" in sys.orig_argv:
    from edge.fleet.engines.spark_cells import SparkState

    put = SparkState.put

    def put_and_die(self: SparkState, name: str, value: bytes) -> None:
        """Write a part of a state, and end the process after the last one of a cell."""
        put(self, name, value)
        if name == "head":
            for each in range(KILLS):
                try:
                    (Path(os.environ["KILLED_WORKERS"]) / f"kill{each}").touch(exist_ok=False)
                except FileExistsError:
                    continue
                os.kill(os.getpid(), signal.SIGKILL)

    SparkState.put = put_and_die  # type: ignore[method-assign]
