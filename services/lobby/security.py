"""What guards every page: headers as plain ASGI, and two locks on every form."""

import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.lobby.sessions import Session

STATIC = "/static/"


class CrossSite(Exception):
    """The form was not sent from a page of this window, or its session has ended since."""


def policy(nonce: str) -> str:
    """The content security policy: our own files and nothing else, scripts by nonce, no HTML made by script."""
    return "; ".join(
        [
            "default-src 'none'", f"script-src 'self' 'nonce-{nonce}'", "style-src 'self'", "img-src 'self' data:",
            "font-src 'self'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
            "require-trusted-types-for 'script'", "trusted-types htmx",
        ]
    )  # fmt: skip


class Headers:
    """Plain ASGI: a stream must notice that its reader has gone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        static = scope["path"].startswith(STATIC)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = policy(nonce)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "same-origin"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers["permissions-policy"] = "camera=(), geolocation=(), microphone=()"
                kept = static and message["status"] == 200
                headers["cache-control"] = "public, max-age=31536000, immutable" if kept else "no-store"
                headers["vary"] = "Accept-Encoding" if static else "Cookie, HX-Request"
            await send(message)

        await self.app(scope, receive, send_with_headers)


async def same_site_form(request: Request, session: Session | None) -> None:
    """The browser says where the request came from, and the form carries its session's token. Raises CrossSite."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin", "none") or (origin and urlsplit(origin).netloc != request.headers["host"]):
        raise CrossSite
    given = str((await request.form()).get("_token", ""))
    if session is None or not hmac.compare_digest(given.encode(), session.form_token.encode()):
        raise CrossSite
