"""Draw the packages and what each imports, from the imports themselves, into ARCHITECTURE.md.

python docs/draw_architecture.py            rewrites the drawings
python docs/draw_architecture.py --check    exits with 1 if they are out of date
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "ARCHITECTURE.md"
PACKAGES = ("", "edge/core", "edge/shell", "detectors", "simulators")
TOP = ("detectors", "config", "edge", "simulators", "cloud")


def imported(path: Path) -> set[str]:
    """Everything that a file imports, as dotted names; of `from a import b`, both `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found


def rooms(package: str) -> list[str]:
    """The modules and packages directly inside a package, without its `__init__`; of the root, our packages."""
    if not package:
        return list(TOP)
    inside = [each for each in (ROOT / package).iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()]
    return sorted(each.stem for each in inside if not each.stem.startswith("__"))


def imported_rooms(package: str, room: str) -> set[str]:
    """The folders of a package that each of its folders imports."""
    prefix = f"{package}/".replace("/", ".").lstrip(".")
    place = ROOT / package / room
    paths = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    modules = {module for path in paths for module in imported(path) if module.startswith(prefix)}
    return {module.removeprefix(prefix).split(".")[0] for module in modules} & {*rooms(package)} - {room}


def arrows(package: str) -> dict[str, set[str]]:
    """The folders of a package that each folder imports."""
    return {room: imported_rooms(package, room) for room in rooms(package)}


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same graph without the arrows that follow from others."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            room = waiting.pop()
            if room not in seen:
                seen.add(room)
                waiting += graph[room]
        return seen

    return {room: {each for each in below if not any(each in reach(o) for o in below)} for room, below in graph.items()}


def drawing(package: str) -> str:
    """A mermaid flowchart of a package; an arrow reads "imports"."""
    lines = ["```mermaid", "flowchart TD"]
    for room, below in reduced(arrows(package)).items():
        lines.append(f"    {room}")
        lines += [f"    {room} --> {each}" for each in sorted(below)]
    return "\n".join([*lines, "```"])


def redrawn(page: str) -> str:
    """The page with every drawing as the imports are now."""

    def replace(found: re.Match[str]) -> str:
        package = found["package"].removesuffix("/")
        return f"<!-- {found['package']} -->\n{drawing('' if package == '.' else package)}"

    return re.sub(r"<!-- (?P<package>[\w./]+/) -->\n```mermaid\n.*?```", replace, page, flags=re.DOTALL)


def main() -> int:
    """Rewrite the page, or compare."""
    before = PAGE.read_text("utf-8")
    after = redrawn(before)
    if "--check" in sys.argv[1:]:
        return int(before != after)
    PAGE.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
