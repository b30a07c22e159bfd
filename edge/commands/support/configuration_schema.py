"""The JSON Schema of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.schema import Configuration
from edge.core.model.notation.json_schema import json_schema_of

SCHEMA_NAME = "urn:edgewarden:configuration:v1"


def configuration_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a configuration file, for editors."""
    return json_schema_of(Configuration, SCHEMA_NAME, _of_path)


def _of_path(kind: type) -> dict[str, Any]:
    if kind is Path:
        return {"type": "string", "format": "path"}
    raise NotImplementedError
