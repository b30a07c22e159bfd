"""Commands: the operator's commands as JSON below `{base}/command/`, and the reasons to reject them.

Names follow ISA-18.2 and OPC UA Alarms and Conditions. A command may carry an `id`: sent twice with the same ID it acts
once, and the answer is the same both times.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

LARGEST_PAYLOAD = 4096
"""Maximum size of a command's payload in bytes."""

LONGEST_S = 366 * 86_400.0
"""Maximum duration of a shelf, and maximum lead of a window that occurs once."""

REASONS: dict[str, str] = {
    "retained": "the command was retained by the broker: its age is unknown",
    "too_large": f"the payload has more than {LARGEST_PAYLOAD} bytes",
    "malformed": "the payload doesn't match `edgewarden schema commands`",
    "unknown_command": "there is no command of this name",
    "bad_pattern": "the sensors aren't a valid glob on sensor names",
    "bad_time": "a time can't be read, or has no offset",
    "time_passed": "a time lies in the past",
    "time_too_far": f"a time lies more than {LONGEST_S / 86_400:.0f} days ahead",
    "bad_window": "the window has no from and to, or no weekly rule, or an unknown time zone",
    "no_sensor": "no known sensor has this name or matches this glob",
    "no_open_incident": "no such incident is open, and no sensor given has an open one",
    "beyond_limit": "a limit of the configuration is broken, or its no_value sent: change that, or shelve the sensor",
    "not_shelved": "exactly this sensor or pattern isn't shelved",
    "no_window": "no command has declared a maintenance window of this name",
    "too_many": "the maximum number of shelved patterns or windows is reached",
    "id_reused": "the id was that of another command",
}
"""All reasons to reject a command, with their meaning."""

Text = Annotated[str, Meta(max_length=200)]
Pattern = Annotated[str, Meta(min_length=1, max_length=256, description="Glob on sensor names, or one name")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Time = Annotated[
    str, Meta(min_length=2, max_length=40, description="RFC 3339 with its offset, or a duration: 90m, 2h, 3d")
]


class CommandRefused(Exception):  # noqa: N818 - the word of the domain
    """A command was rejected: a key of `REASONS`, and a short explanation for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Common fields of commands: an ID, the user, and a comment."""

    id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    by: Annotated[str, Meta(max_length=64)] = ""
    comment: Text = ""


class Acknowledge(Command, frozen=True, kw_only=True):
    """Acknowledge the open incidents of these sensors, or this incident, until they end."""

    sensor: Pattern | UnsetType = UNSET
    incident: Name | UnsetType = UNSET


class Shelve(Command, frozen=True, kw_only=True):
    """Suppress publications about these sensors until a time."""

    sensor: Pattern
    until: Time


class Unshelve(Command, frozen=True, kw_only=True):
    """Undo `shelve` for the same sensor or pattern."""

    sensor: Pattern


class Normal(Command, frozen=True, kw_only=True):
    """Declare the current values normal: the open incidents end as expired, and the detectors learn again."""

    sensor: Pattern | UnsetType = UNSET
    incident: Name | UnsetType = UNSET


class Forget(Command, frozen=True, kw_only=True):
    """Forget these sensors and everything learned about them; a sensor that reports again is new."""

    sensor: Pattern


class Maintenance(Command, frozen=True, kw_only=True):
    """Suppress publications about these sensors in a window, once (from, to) or weekly.

    Nothing is learned in it unless requested.
    """

    name: Name
    sensor: Pattern
    start: Time | UnsetType = msgspec.field(default=UNSET, name="from")
    end: Time | UnsetType = msgspec.field(default=UNSET, name="to")
    every: (
        Annotated[str, Meta(max_length=64, description="Such as Mon 06:00-08:00 or daily 12:00-12:30")] | UnsetType
    ) = UNSET
    zone: Name = "UTC"
    learn: bool = False


class EndMaintenance(Command, frozen=True, kw_only=True):
    """End the maintenance window of this name."""

    name: Name


WORDS: dict[str, type[Command]] = {
    "acknowledge": Acknowledge,
    "shelve": Shelve,
    "unshelve": Unshelve,
    "normal": Normal,
    "maintenance": Maintenance,
    "end_maintenance": EndMaintenance,
    "forget": Forget,
}


def decode(name: str, payload: bytes) -> Command:
    """Decode a command from its topic and payload.

    Raises:
        CommandRefused: It isn't a valid command.
    """
    kind = WORDS.get(name)
    if kind is None:
        raise CommandRefused("unknown_command", f"there are {', '.join(WORDS)}")
    if len(payload) > LARGEST_PAYLOAD:
        raise CommandRefused("too_large", f"{len(payload)} bytes")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise CommandRefused("malformed", str(error)[:200]) from None


def moment(text: str, now: float) -> float:
    """Parse a time, seconds since the epoch: RFC 3339 with an offset, or a duration from `now`.

    Raises:
        CommandRefused: It can't be parsed, isn't after `now`, or is too far ahead.
    """
    lasts = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?(s|m|min|h|d|w)", text)
    if lasts:
        found = now + float(lasts[1]) * {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}[lasts[2]]
    else:
        try:
            read = datetime.fromisoformat(text)
            if read.tzinfo is None:
                raise CommandRefused("bad_time", "it has no offset: write 2026-11-23T06:00:00+01:00, or 2h")
            found = read.timestamp()
        except (ValueError, OverflowError):
            raise CommandRefused("bad_time", "write 2026-11-23T06:00:00+01:00, or 2h") from None
    if found <= now:
        raise CommandRefused("time_passed", "it has passed already")
    if found > now + LONGEST_S:
        raise CommandRefused("time_too_far", f"it is more than {LONGEST_S / 86_400:.0f} days ahead")
    return found


def commands_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the payload of each command, by name, below `$defs`."""
    found, components = msgspec.json.schema_components(WORDS.values(), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:edgewarden:commands:v1",
        "properties": dict(zip(WORDS, found, strict=True)),
        "$defs": components,
    }
