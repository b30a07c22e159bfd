"""Protection: accepts or rejects requests, and sets security headers on every response.

- **The Host header** must be a name of this machine, an address, or one of the configured `hosts`. This rejects pages
  of other sites whose name is made to resolve to this machine (DNS rebinding).
- **A POST** must come from this page: `Origin` equal to its target, and JSON, which no form can send.
- **Responses** allow only the page's own files (Content-Security-Policy), no framing, and no caching.

Sources: OWASP Cross-Site Request Forgery Prevention and DNS rebinding; CSP Level 3.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.tables.page import is_local

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

LARGEST_BODY = 8192


class Protection:
    """Wraps an application.

    Args:
        app: The wrapped application.
        bind: The address that the server listens on.
        hosts: Host names under which the page may be requested, besides this machine's own.
    """

    def __init__(self, app: ASGIApp, bind: str, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._local_only = is_local(bind)
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own}.local", *(each.lower() for each in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject a request or pass it on."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        problem = self._problem(scope, headers)
        if problem:
            await PlainTextResponse(f"{problem}\n", 403, headers=HEADERS)(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer[name] = value
                if "cache-control" not in answer:
                    answer["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, protected)

    def _problem(self, scope: Scope, headers: Headers) -> str:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.is_ours(hosts[0]):
            return (
                "This page isn't known by that name. Open it by its address, or add the name to hosts in the table "
                "[page] of the configuration."
            )
        if scope["method"] in {"GET", "HEAD"}:
            return ""
        if _place_of(headers.get("origin", "")) != hosts[0].lower():
            return "The request doesn't come from this page."
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return "JSON is expected."
        if not headers.get("content-length", "").isdecimal() or int(headers["content-length"]) > LARGEST_BODY:
            return f"A body of at most {LARGEST_BODY} bytes is expected, and its length."
        return ""

    def is_ours(self, host: str) -> bool:
        """Whether a Host header names this machine."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name.lower() in self._names:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._local_only


def _place_of(origin: str) -> str:
    """Host and port of an Origin header; empty if it has none."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return ""
    return found.netloc.lower() if found.scheme in {"http", "https"} and not found.path else ""
