"""Write the tables of docs/reference/events.md, from the models of the events.

python docs/write_event_reference.py            rewrites the tables
python docs/write_event_reference.py --check    exits with 1 if they are out of date
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, get_args

from edge.core.incidents.events.event import Timestamp, event_json_schema
from edge.core.incidents.events.gaps import gap_json_schema
from edge.core.incidents.events.sensor_events import sensors_json_schema

PAGE = Path(__file__).parent / "reference" / "events.md"
SCHEMAS = {"incident": event_json_schema, "gap": gap_json_schema, "sensors": sensors_json_schema}
TIME = get_args(Timestamp)[1].pattern
MARKED = re.compile(r"(<!-- fields of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def type_of(field: dict[str, Any], shared: dict[str, Any]) -> str:
    """The JSON type of a field, for a reader."""
    if "$ref" in field:
        return type_of(shared[field["$ref"].rpartition("/")[2]], shared)
    if "anyOf" in field:
        return " or ".join(type_of(each, shared) for each in field["anyOf"])
    if field.get("type") == "array":
        items = field["items"].get("prefixItems")
        each = f"[{', '.join(type_of(one, shared) for one in items)}]" if items else type_of(field["items"], shared)
        return f"array of {each}"
    if words := field.get("enum", [field["const"]] if "const" in field else []):
        return ", ".join(f"`{each}`" for each in words)
    return "time" if field.get("pattern") == TIME else str(field["type"])


def inner(field: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any] | None:
    """The object that a field holds, or an array of which it holds; None if it holds none."""
    for each in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in each:
            return inner(shared[each["$ref"].rpartition("/")[2]], shared) or shared[each["$ref"].rpartition("/")[2]]
    return field if "properties" in field else None


def rows(schema: dict[str, Any], shared: dict[str, Any], prefix: str = "") -> list[str]:
    """A row for each field, those of objects behind them."""
    found = []
    for name, field in schema["properties"].items():
        within = inner(field, shared)
        meaning = field.get("description") or (within or {}).get("description", "").rstrip(".")
        found.append(f"| `{prefix}{name}` | {type_of(field, shared)} | {meaning.replace('|', chr(92) + '|')} |")
        if within and "properties" in within:
            dots = "[]." if field.get("type") == "array" else "."
            found += rows(within, shared, f"{prefix}{name}{dots}")
    return found


def rewritten(page: str) -> str:
    """The page with its tables regenerated."""

    def table(match: re.Match[str]) -> str:
        schema = SCHEMAS[match[2]]()
        lines = ["| field | type | meaning |", "|---|---|---|", *rows(schema, schema["$defs"])]
        return match[1] + "\n".join(lines) + "\n" + match[3]

    return MARKED.sub(table, page)


def main() -> int:
    """Rewrite the page, or check it."""
    page = PAGE.read_text("utf-8")
    wanted = rewritten(page)
    if "--check" in sys.argv[1:]:
        return int(wanted != page)
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
