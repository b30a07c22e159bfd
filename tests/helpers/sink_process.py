"""Delivers the events of a store to one sink, as a process that can be killed.

Arguments: the store's folder, the last event, the kind of sink; the variable SINK_HOW holds its options.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sink_line import SinkLine

from edge.shell.link import TlsOptions
from edge.shell.sinks import options

if __name__ == "__main__":
    folder, last, kind = sys.argv[1:]
    names = {name: getattr(options, name) for name in dir(options)} | {"TlsOptions": TlsOptions}
    how = eval(os.environ["SINK_HOW"], names)  # noqa: S307 - the test's own words
    line = SinkLine(Path(folder), options.SinkOptions("out", kind, how, begin="beginning"))
    line.run_through(int(last), 110)
    line.close()
