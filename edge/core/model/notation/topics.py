"""This gateway's topics, below a base such as `edgewarden/plant7`."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

LONGEST_TOPIC = 256
"""Maximum length of an outgoing topic in bytes, the limit of AWS IoT."""

MOST_SLASHES = 7
"""Maximum number of slashes in an outgoing topic, the limit of AWS IoT."""

USUAL_BASE = f"edgewarden/{'-' * 64}/anomaly/"
"""The longest prefix of an outgoing topic, unless the operator chooses a base."""

_EMPTY_LEVEL = re.compile(r"(?:^|(?<=/))/")
_ENCODED = re.compile(
    r"[+#.%~\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"\\U{plane:04X}FFFE\\U{plane:04X}FFFF" for plane in range(17))
    + "]"
)
_SHORTEST_CUT = 17


class Topics(NamedTuple):
    """The published topics.

    Attributes:
        base: Common prefix, without leading or trailing slash.
    """

    base: str

    @property
    def status(self) -> str:
        """Online or offline; retained, and the client's last will."""
        return f"{self.base}/status"

    @property
    def health(self) -> str:
        """Counters, backlog and limits; retained."""
        return f"{self.base}/health"

    @property
    def open(self) -> str:
        """All open incidents in one message; retained."""
        return f"{self.base}/open"

    @property
    def gap(self) -> str:
        """The topic of gap events."""
        return f"{self.base}/gap"

    @property
    def sensors(self) -> str:
        """The topic of sensors found and forgotten."""
        return f"{self.base}/sensors"

    @property
    def dead_letter(self) -> str:
        """The topic of dead letters."""
        return f"{self.base}/deadletter"

    @property
    def shelved(self) -> str:
        """The topic of shelved sensors and maintenance windows; retained."""
        return f"{self.base}/shelved"

    @property
    def result(self) -> str:
        """The topic of results of commands."""
        return f"{self.base}/result"

    def command(self, name: str) -> str:
        """The topic of a command; `+` for all commands."""
        return f"{self.base}/command/{name}"

    def anomaly(self, sensor: str) -> str:
        """The topic of all incident events of a sensor, given its name as the end of a topic."""
        return f"{self.base}/anomaly/{sensor}"

    def state(self, sensor: str) -> str:
        """The topic with `ok` or the open incident of a sensor; retained."""
        return f"{self.base}/state/{sensor}"


def topic_for(sensor: str, before: str = USUAL_BASE) -> str:
    """Encode a sensor's name as the end of an outgoing topic; the encoding is unique.

    Wildcards, control characters and Unicode non-characters, dots (RabbitMQ turns them into slashes), `~` and `%` are
    percent-encoded, as are slashes beyond the maximum. A topic that is then too long is truncated and ends in `~` and a
    hash.

    Args:
        sensor: The name.
        before: Prefix of the topic. At most 239 bytes of it leave room for the hash.
    """
    most_slashes = max(0, MOST_SLASHES - before.count("/"))
    most_bytes = max(_SHORTEST_CUT, LONGEST_TOPIC - len(before.encode()))
    topic = _EMPTY_LEVEL.sub("%2F", _ENCODED.sub(_percent, sensor))
    slashed = topic.split("/", most_slashes) if most_slashes else [topic]
    topic = "/".join(each.replace("/", "%2F") for each in slashed)
    encoded = topic.encode()
    if len(encoded) <= most_bytes:
        return sensor if topic == sensor else topic  # usually the same: one string less for each sensor
    digest = hashlib.blake2b(sensor.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{encoded[: most_bytes - _SHORTEST_CUT].decode('utf-8', 'ignore')}~{digest}"


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))
