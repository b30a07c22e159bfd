"""Membership: which group each sensor belongs to, and where its state is there."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.scoring.profiles import Group, Places, Profile


class Membership:
    """The groups of all sensors.

    Args:
        profile_of: Gives the profile of a sensor by its slot; asked when the slot becomes a sensor's, or nobody's.

    Attributes:
        groups: By profile.
        order: The groups in the order in which they came to be.
        members: The group of each sensor, and its row there, by slot.
        places: The same as arrays.
    """

    def __init__(self, profile_of: Callable[[int], Profile]) -> None:
        self._profile_of = profile_of
        self.groups: dict[Profile, Group] = {}
        self.order: list[Group] = []
        self.members: list[tuple[Group, int]] = []
        self.places = Places()

    def grow(self, sensors: int) -> None:
        """Take in more slots, up to `sensors` in all."""
        for slot in range(len(self.members), sensors):
            group = self._group_of(slot)
            self.members.append((group, group.add()))
        self.places.grow(self.members, self.order)

    def clear(self, slot: int) -> None:
        """Let the detectors of a sensor know nothing."""
        group, row = self.members[slot]
        group.clear(row)

    def leave(self, slot: int) -> None:
        """Let a slot be nobody's, and its row another sensor's."""
        group, row = self.members[slot]
        group.leave(row)
        self.move(slot)

    def move(self, slot: int) -> None:
        """Give a slot a row where its profile says now."""
        group = self._group_of(slot)
        self.members[slot] = (group, group.add())
        self.places.move(slot, self.members[slot], self.order)

    def _group_of(self, slot: int) -> Group:
        profile = self._profile_of(slot)
        group = self.groups.get(profile)
        if group is None:
            group = self.groups[profile] = Group(profile)
            self.order.append(group)
        return group
