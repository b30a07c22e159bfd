"""The page's scripts, and those of reports, are valid JavaScript."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

EDGE = Path(__file__).parents[3] / "edge"
NODE = shutil.which("node") or ""
SCRIPTS = sorted([*(EDGE / "page" / "static").rglob("*.js"), *(EDGE / "reports" / "assets").glob("*.js")])


@pytest.mark.skipif(not NODE, reason="node is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_parsed(script: Path, tmp_path: Path) -> None:
    module = tmp_path / "script.mjs"
    module.write_bytes(script.read_bytes())
    checked = subprocess.run([NODE, "--check", module], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
