"""Answers: objects in which a number says how a request went, next to what was asked for or a message.

{"code": 200, "data": 41.2}
{"status": 200, "result": {"temp": 21.5}}
{"Code": 0, "Reason": "", "UserMessage": ""}

Next to anything else a code is a reading, such as that of a fault: {"temp": 4.5, "code": 17}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.core.intake.decoders.documents.keys.plain_keys import plain_key

_CODES = frozenset({"code", "errcode", "errorcode", "errno", "retcode", "returncode", "resultcode", "responsecode"})
_STATUSES = frozenset({"status", "statuscode", "httpstatus", "httpcode"})
_HTTP = range(200, 600)
"""Under a key of `_STATUSES`, only a status of HTTP is one; other numbers may be the state of a machine."""

_CONTENTS = frozenset({"data", "result", "results", "payload", "body", "response", "content"})
_MESSAGES = frozenset({"msg", "message", "usermessage", "reason", "error", "errmsg", "errormsg", "errormessage"})
_BESIDE = frozenset({"success", "ok", "description", "detail", "details", "ts", "time", "timestamp", "t"})
_OTHERS = _CONTENTS | _MESSAGES | _BESIDE
"""Keys of such an object, as `plain_key()` writes them."""

_ENDS = frozenset({each for end in ("de", "no", "us") for each in (end, end.upper())})
"""The ends of all codes and statuses, by which most objects are passed over."""

_NO_KEYS: frozenset[str] = frozenset()


def may_be_answer(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may be answers."""
    known = {plain_key(each) for each in keys}
    codes = known & (_CODES | _STATUSES)
    return bool(codes) and known - codes <= _OTHERS and not known.isdisjoint(_CONTENTS | _MESSAGES)


def codes_of_answer(fields: Mapping[str, Any]) -> frozenset[str]:
    """The keys of an answer whose numbers say how it went; empty for any other object."""
    if _ENDS.isdisjoint([key[-2:] for key in fields]) or not may_be_answer(fields):
        return _NO_KEYS
    return frozenset(key for key, value in fields.items() if type(value) is int and _is_code(plain_key(key), value))


def _is_code(key: str, value: int) -> bool:
    return key in _CODES or (key in _STATUSES and value in _HTTP)
