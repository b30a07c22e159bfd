"""Incident news: the events of an incident that people must be notified about, as an SQL condition.

These are its first event of at least the given severity, the first of each higher severity class, and its end if one of
those came before. The condition depends only on stored events, so no state about past reports is needed, and it is the
same after a restart.
"""

from __future__ import annotations

_EARLIER = (
    "SELECT 1 FROM events AS earlier WHERE earlier.incident = events.incident AND earlier.sequence < events.sequence"
    " AND earlier.transition IN ('raised', 'updated') AND earlier.severity >="
)
_CLASS = (
    "CASE WHEN events.severity > 750 THEN 751 WHEN events.severity > 500 THEN 501"
    " WHEN events.severity > 250 THEN 251 ELSE 1 END"
)
"""The minimum severity of an event's own class, see `severity_class()`."""

_HAS_RISEN = (
    "transition IN ('raised', 'updated') AND severity >= ? AND severity < ?"
    f" AND NOT EXISTS ({_EARLIER} max(?, {_CLASS}))"
)
_HAS_ENDED = f"EXISTS ({_EARLIER} ?) AND NOT EXISTS ({_EARLIER} ?)"
_BEGINNING_IS_GONE = (
    "severity >= ? AND severity < ? AND NOT EXISTS (SELECT 1 FROM events AS first"
    " WHERE first.incident = events.incident AND first.transition = 'raised')"
)
INCIDENT_NEWS = (
    f"(({_HAS_RISEN}) OR (transition IN ('cleared', 'expired') AND (({_HAS_ENDED}) OR ({_BEGINNING_IS_GONE}))))"
)


def values_of(severity: int, below: int) -> list[int | str]:
    """The values of `INCIDENT_NEWS`.

    Args:
        severity: Minimum severity.
        below: Incidents that have reached this severity are excluded.
    """
    return [severity, below, severity, severity, below, severity, below]
