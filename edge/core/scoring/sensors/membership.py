"""Membership: the group of each sensor, and its row there."""

from __future__ import annotations

from collections.abc import Callable

from edge.core.scoring.profiles import Group, Places, Profile


class Membership:
    """The groups of all sensors.

    Args:
        profile_of: Returns the profile of a sensor by slot; called when a slot is occupied or vacated.

    Attributes:
        groups: Groups by profile.
        order: Groups in order of creation.
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
        """Add slots up to `sensors` in all."""
        for slot in range(len(self.members), sensors):
            group = self._group_of(slot)
            self.members.append((group, group.add()))
        self.places.grow(self.members, self.order)

    def clear(self, slot: int) -> None:
        """Reset the detectors of a sensor."""
        group, row = self.members[slot]
        group.clear(row)

    def leave(self, slot: int) -> None:
        """Vacate a slot and free its row for another sensor."""
        group, row = self.members[slot]
        group.leave(row)
        self.move(slot)

    def move(self, slot: int) -> None:
        """Move a slot to a row of its current profile's group."""
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
