"""`python -m edge` is `edgewarden`."""

from __future__ import annotations

from edge.commands import main

if __name__ == "__main__":
    main(prog_name="edgewarden")
