"""Sentences about limits: which one is broken by which value, and when values return within it."""

from __future__ import annotations

from edge.core.incidents.incident import Incident
from edge.core.model.notation.quantities import digits_apart, quantity
from edge.core.scoring.limit_conditions import LimitCondition, worst_of
from edge.core.scoring.opinions import Observation


def broken_sentence(sensor: str, unit: str, observation: Observation, condition: LimitCondition) -> str:
    """Describe a limit as broken, or as having been broken while readings haven't stayed within it for long enough."""
    again = "still " if condition.since < observation.time else ""
    is_range, value = condition.limit.kind == "range", _value_beside(observation.value, condition, unit)
    if not is_beyond(condition, observation):
        return f"{sensor} is at {value} after having {'been' if is_range else 'changed'} {_beyond(condition, unit)}"
    if is_range:
        return f"{sensor} is {again}{_beyond(condition, unit)}, at {value}"
    return f"{sensor} {again}changes {_beyond(condition, unit)}, now at {value}"


def kept_sentence(sensor: str, unit: str, observation: Observation, left: list[LimitCondition]) -> str:
    """Describe limits that are no longer broken, naming the worst one."""
    condition = worst_of(left)
    assert condition is not None  # noqa: S101 - the caller has looked
    return f"{sensor} is back within {_name(condition, unit)}, at {_value_beside(observation.value, condition, unit)}"


def limit_clause(unit: str, incident: Incident, observation: Observation, before: str = ", ") -> str:
    """A clause to append to another sentence, preceded by `before`; empty if no limit is broken now."""
    condition = incident.worst_limit
    return "" if condition is None or not is_beyond(condition, observation) else f"{before}{_beyond(condition, unit)}"


def is_beyond(condition: LimitCondition, observation: Observation) -> bool:
    """Whether an observation's value lies beyond a limit, not only within its deadband."""
    if condition.limit.kind == "range":
        return condition.limit.excess(observation.value) > 0
    return any(each.key == condition.limit.key for each in observation.broken or ())


def _beyond(condition: LimitCondition, unit: str) -> str:
    if condition.limit.kind != "range":
        return f"faster than {_name(condition, unit)}"
    side = "below" if condition.limit.name.startswith("low") else "above"
    return f"{side} {_name(condition, unit)}"


def _name(condition: LimitCondition, unit: str) -> str:
    limit = condition.limit
    rank = "critical limit" if limit.name.endswith("_critical") else "limit"
    if limit.kind == "range":
        return f"its {rank} of {quantity(limit.bound, unit)}"
    return f"its {rank} of {quantity(limit.bound, f'{unit}/s' if unit else '')}{'' if unit else ' a second'}"


def _value_beside(value: float, condition: LimitCondition, unit: str) -> str:
    """A value with enough digits to distinguish it from the limit."""
    return quantity(value, unit, digits_apart(value, condition.limit.bound, least=4))
