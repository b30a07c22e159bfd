"""Globs on sensor names: one meaning in the configuration, in commands to the service and on the command line.

`*` stands for any characters within a level, `**` for any characters, `**/` also for nothing at all; see
`config.notation.topics.glob_pattern`. A
name may be spelled as it is printed, so that what was copied from a terminal fits.
"""

from __future__ import annotations

from config.notation.topics import glob_pattern
from edge.core.model.words.printable import printable


def fits(glob: str, name: str) -> bool:
    """Whether a glob fits a sensor's name, as it is or as it is printed."""
    pattern = glob_pattern(glob)
    return pattern.fullmatch(name) is not None or pattern.fullmatch(printable(name)) is not None
