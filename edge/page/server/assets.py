"""Assets: the page's own files, read once and served with an ETag, so that browsers fetch changes only."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
SHARED = ("plot_drawing.js", "plot.js", "plot.css")
"""Files shared with the reports."""

START = "index.html"
VIEWS = "views"
"""Directory of the views' scripts."""


class Asset(NamedTuple):
    """A static file."""

    content: bytes
    kind: str
    tag: str


class Assets:
    """All static files.

    Attributes:
        version: Tells these files from those of another version.
    """

    def __init__(self) -> None:
        ours, theirs = files("edge.page").joinpath("static"), files("edge.reports").joinpath("assets")
        found = {each.name: each for each in ours.iterdir()} | {each: theirs.joinpath(each) for each in SHARED}
        found |= {f"{VIEWS}/{each.name}": each for each in found.pop(VIEWS).iterdir()}
        self._files = {name: _asset(name, each.read_bytes()) for name, each in found.items()}
        self.version = _digest("".join(self._files[name].tag for name in sorted(self._files)).encode())

    async def page(self, request: Request) -> Response:
        """The page."""
        return self._answer(request, self._files[START])

    async def file(self, request: Request) -> Response:
        """A file by name."""
        found = self._files.get(request.path_params["name"])
        return PlainTextResponse("There is no such file.\n", 404) if found is None else self._answer(request, found)

    @staticmethod
    def _answer(request: Request, asset: Asset) -> Response:
        headers = {"etag": asset.tag, "cache-control": "no-cache"}
        known = request.headers.get("if-none-match", "").split(",")
        if any(each.strip().removeprefix("W/") in {asset.tag, "*"} for each in known):  # RFC 9110, 13.1.2
            return Response(status_code=304, headers=headers)
        return Response(asset.content, headers=headers, media_type=asset.kind)


def _asset(name: str, content: bytes) -> Asset:
    kind = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Asset(content, kind, f'"{_digest(content)}"')


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
