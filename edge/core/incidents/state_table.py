"""The state table of incidents: each sensor's states, the signals that move it, and what follows from each.

`TABLE` defines the behaviour for learned conditions: state x signal -> next state and action.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """The state of a sensor."""

    NORMAL = "normal"
    OPEN = "open"
    CALMING = "calming"
    SILENT = "silent"
    ADOPTING = "adopting"
    SETTLING = "settling"

    @property
    def holds_open(self) -> bool:
        """Whether an incident is open for learned behaviour or for a silence."""
        return self in _HOLD_OPEN


_HOLD_OPEN = frozenset({State.OPEN, State.CALMING, State.SILENT})


class MachineInput(Enum):
    """The input to the state machine from a reading or its absence."""

    EXCEEDS = "a reading at or above the raising level"
    HOLDS = "a reading between the clearing and the raising level"
    CALM = "a reading below the clearing level"
    CALM_ENOUGH = "the last of the calm readings that it takes to clear"
    SETTLES = "the same, while a detector that smooths hasn't forgotten the time before"
    SILENCE = "the sensor has been silent for too long"
    RETURN = "a reading after the silence"
    ADOPTION = "the incident, or the learning of its level, has lasted for so long that this is the new normal"
    DECLARED_NORMAL = "the operator says that this is normal"
    NO_VALUE = "a reading that is an error value"
    VALUE = "a real value after it"
    DIFFERS = "a comparison that finds the sensor unlike its peers"
    AGREES = "a comparison that finds it like them again"
    PEERS_ADOPTED = "it has been unlike them for so long that this is the new normal"


CALM = frozenset({MachineInput.CALM, MachineInput.CALM_ENOUGH, MachineInput.SETTLES})
AWAY = frozenset({MachineInput.EXCEEDS, MachineInput.HOLDS, MachineInput.ADOPTION})
"""Signals of readings that are calm, and of those that aren't."""

OF_PEERS = frozenset({MachineInput.DIFFERS, MachineInput.AGREES, MachineInput.PEERS_ADOPTED})
NO_NEWS = frozenset({MachineInput.NO_VALUE, MachineInput.VALUE, *OF_PEERS})
"""Signals without information about learned behaviour."""


class Action(Enum):
    """The action of a transition."""

    NOTHING = "nothing"
    RAISE = "raise an incident"
    EXTEND = "add the reading to the open incident"
    CLEAR = "clear the incident"
    EXPIRE = "end the incident and learn its level"


TABLE: dict[tuple[State, MachineInput], tuple[State, Action]] = {
    (State.NORMAL, MachineInput.EXCEEDS): (State.OPEN, Action.RAISE),
    (State.NORMAL, MachineInput.HOLDS): (State.NORMAL, Action.NOTHING),
    (State.NORMAL, MachineInput.CALM): (State.NORMAL, Action.NOTHING),
    (State.NORMAL, MachineInput.CALM_ENOUGH): (State.NORMAL, Action.NOTHING),
    (State.NORMAL, MachineInput.SILENCE): (State.SILENT, Action.RAISE),
    (State.OPEN, MachineInput.EXCEEDS): (State.OPEN, Action.EXTEND),
    (State.OPEN, MachineInput.HOLDS): (State.OPEN, Action.NOTHING),
    (State.OPEN, MachineInput.CALM): (State.CALMING, Action.NOTHING),
    (State.OPEN, MachineInput.CALM_ENOUGH): (State.NORMAL, Action.CLEAR),
    (State.OPEN, MachineInput.SETTLES): (State.SETTLING, Action.CLEAR),
    (State.OPEN, MachineInput.SILENCE): (State.OPEN, Action.EXTEND),
    (State.OPEN, MachineInput.ADOPTION): (State.ADOPTING, Action.EXPIRE),
    (State.CALMING, MachineInput.EXCEEDS): (State.OPEN, Action.EXTEND),
    (State.CALMING, MachineInput.HOLDS): (State.OPEN, Action.NOTHING),
    (State.CALMING, MachineInput.CALM): (State.CALMING, Action.NOTHING),
    (State.CALMING, MachineInput.CALM_ENOUGH): (State.NORMAL, Action.CLEAR),
    (State.CALMING, MachineInput.SETTLES): (State.SETTLING, Action.CLEAR),
    (State.CALMING, MachineInput.SILENCE): (State.CALMING, Action.EXTEND),
    (State.CALMING, MachineInput.ADOPTION): (State.ADOPTING, Action.EXPIRE),
    (State.SILENT, MachineInput.SILENCE): (State.SILENT, Action.EXTEND),
    (State.SILENT, MachineInput.RETURN): (State.NORMAL, Action.CLEAR),
    (State.OPEN, MachineInput.RETURN): (State.OPEN, Action.NOTHING),
    (State.CALMING, MachineInput.RETURN): (State.CALMING, Action.NOTHING),
    (State.SETTLING, MachineInput.EXCEEDS): (State.OPEN, Action.RAISE),
    (State.SETTLING, MachineInput.HOLDS): (State.SETTLING, Action.NOTHING),
    (State.SETTLING, MachineInput.CALM): (State.SETTLING, Action.NOTHING),
    (State.SETTLING, MachineInput.SETTLES): (State.SETTLING, Action.NOTHING),
    (State.SETTLING, MachineInput.CALM_ENOUGH): (State.NORMAL, Action.NOTHING),
    (State.SETTLING, MachineInput.SILENCE): (State.SILENT, Action.RAISE),
    (State.SETTLING, MachineInput.ADOPTION): (State.NORMAL, Action.NOTHING),
    (State.ADOPTING, MachineInput.EXCEEDS): (State.ADOPTING, Action.NOTHING),
    (State.ADOPTING, MachineInput.HOLDS): (State.ADOPTING, Action.NOTHING),
    (State.ADOPTING, MachineInput.CALM): (State.ADOPTING, Action.NOTHING),
    (State.ADOPTING, MachineInput.CALM_ENOUGH): (State.NORMAL, Action.NOTHING),
    (State.ADOPTING, MachineInput.SILENCE): (State.SILENT, Action.RAISE),
    (State.ADOPTING, MachineInput.ADOPTION): (State.NORMAL, Action.NOTHING),
    (State.OPEN, MachineInput.DECLARED_NORMAL): (State.ADOPTING, Action.EXPIRE),
    (State.CALMING, MachineInput.DECLARED_NORMAL): (State.ADOPTING, Action.EXPIRE),
    (State.SILENT, MachineInput.DECLARED_NORMAL): (State.NORMAL, Action.EXPIRE),
    (State.NORMAL, MachineInput.DECLARED_NORMAL): (State.NORMAL, Action.EXPIRE),
    (State.SETTLING, MachineInput.DECLARED_NORMAL): (State.SETTLING, Action.EXPIRE),
    (State.ADOPTING, MachineInput.DECLARED_NORMAL): (State.ADOPTING, Action.EXPIRE),
    **{(state, MachineInput.NO_VALUE): (state, Action.NOTHING) for state in State if state is not State.SILENT},
    (State.SILENT, MachineInput.NO_VALUE): (State.NORMAL, Action.CLEAR),
    **{(state, MachineInput.VALUE): (state, Action.NOTHING) for state in State},
    **{(state, signal): (state, Action.NOTHING) for state in State for signal in OF_PEERS},
}
