"""An edge node of PyPI's pysparkplug, controlled by lines on standard input: node.py PORT GROUP NAME."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pysparkplug

REBIRTH = "Node Control/Rebirth"
port, group, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
asked = threading.Event()


def metric(name: str, datatype: Any, value: float, alias: int | None = None) -> Any:
    """A metric, as of now."""
    now = pysparkplug.get_current_timestamp()
    return pysparkplug.Metric(timestamp=now, name=name, datatype=datatype, value=value, alias=alias)


def commanded(_: object, message: Any) -> None:
    """Record that a rebirth was requested."""
    if any(each.name == REBIRTH and each.value for each in message.payload.metrics):
        asked.set()


kinds = pysparkplug.DataType
node = pysparkplug.EdgeNode(group, name, [metric(REBIRTH, kinds.BOOLEAN, value=False)], cmd_callback=commanded)
node.register(pysparkplug.Device("pump", [metric("flow", kinds.DOUBLE, 20.0), metric("level", kinds.INT16, -7)]))
node.connect("127.0.0.1", port=port)


def be_reborn() -> None:
    """The only way is to connect again."""
    while asked.wait():
        asked.clear()
        node.disconnect()
        node.connect("127.0.0.1", port=port)


threading.Thread(target=be_reborn, daemon=True).start()
for line in sys.stdin:
    node.update_device("pump", [metric("flow", kinds.DOUBLE, float(line.split()[1]))])
