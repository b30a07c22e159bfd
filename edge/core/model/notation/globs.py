"""Globs on sensor names, with the same meaning in the configuration, in commands and on the command line.

`*` matches any characters within a level, `**` any characters, `**/` also nothing; see
`config.notation.topics.glob_pattern`. Names also match in their printed form, so that names copied from a terminal
work.
"""

from __future__ import annotations

from config.notation.topics import glob_pattern
from edge.core.model.notation.printable import printable


def fits(glob: str, name: str) -> bool:
    """Whether a glob matches a sensor's name, verbatim or in its printed form."""
    pattern = glob_pattern(glob)
    return pattern.fullmatch(name) is not None or pattern.fullmatch(printable(name)) is not None
