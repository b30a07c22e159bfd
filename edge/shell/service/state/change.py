"""Changes since the last snapshot: of the configuration by the operator, or of its meaning by an upgrade."""

from __future__ import annotations

from enum import IntEnum


class Change(IntEnum):
    """What has changed the effective configuration; falsy if nothing has."""

    NONE = 0
    UPGRADE = 1
    CONFIGURATION = 2

    @classmethod
    def between(cls, stored: str, present: str) -> Change:
        """The change between two results of `Configuration.digests()`; earlier versions stored only the first of them.

        Args:
            stored: That of the snapshot.
            present: That of now.
        """
        (effective, _, written), (effective_now, _, written_now) = stored.partition(":"), present.partition(":")
        if effective == effective_now:
            return cls.NONE
        return cls.UPGRADE if written and written == written_now else cls.CONFIGURATION
