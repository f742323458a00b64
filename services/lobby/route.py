"""A page's route: who may open it, the two locks of its forms, and every refusal as a page in the reader's language.

Rights are named as in the services (`allowed("registrar")`, `Anyone`); who asks is the browser's session.
"""

from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException

from libs.common.identity import IssuerAway
from libs.common.problems import Language, language_of
from libs.common.web.rights import rights_of
from services.lobby import sessions, words
from services.lobby.asking import Away, Refusal, SignedOut
from services.lobby.rendering import page
from services.lobby.security import CrossSite, same_site_form

LANGUAGE_COOKIE = "language"


class _Language(Convertor[str]):
    regex = "zh|en"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("language", _Language())


class PageRoute(APIRoute):
    """A route that answers with a page, whatever happens."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        rights = rights_of(self.dependant, self.path)
        is_form = "POST" in (self.methods or ())

        async def answer(request: Request) -> Response:
            words.language.set(language(request))
            session = request.state.session = await sessions.of(request)
            caller = request.state.caller = None if session is None else session.caller
            try:
                if rights is not None and caller is None:
                    return to_sign_in(request)
                if rights is not None and caller is not None and not caller.has(*rights):
                    return page(request, "forbidden.html", 403)
                if is_form:
                    await same_site_form(request, session)
                return await handle(request)
            except Exception as error:
                if (refused := _as_page(request, error)) is None:
                    raise
                return refused

        return answer


def pages() -> APIRouter:
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def language(request: Request) -> Language:
    """Of the address; else of the cookie, else of the browser's wish, else Chinese."""
    given = request.path_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if given in ("zh", "en"):
        return cast(Language, given)
    return language_of(request.headers.get("accept-language"))


def own_path(given: str | None) -> str | None:
    """A return address, where it is a path of this window."""
    if not given or not given.startswith("/") or given.startswith(("//", "/\\")) or not given.isprintable():
        return None
    return given


def to_sign_in(request: Request) -> Response:
    """Sign in, then come back here; after a form, to the page that it stood on."""
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    if request.method == "POST":
        before = urlsplit(request.headers.get("referer", ""))
        here = before.path if before.netloc == request.headers.get("host") else ""
    after = own_path(here) or f"/{words.language.get()}/"
    return RedirectResponse(f"/{words.language.get()}/sign-in?after={quote(after)}", 303)


def _as_page(request: Request, error: Exception) -> Response | None:
    if isinstance(error, SignedOut):
        return to_sign_in(request)
    if isinstance(error, CrossSite):
        return page(request, "stale_form.html", 403)
    if isinstance(error, Away):
        return page(request, "away.html", 503, service=error.service)
    if isinstance(error, IssuerAway):
        return page(request, "away.html", 503, service="issuer")
    if isinstance(error, Refusal):
        if error.status == 404:
            return page(request, "not_found.html", 404)
        return page(request, "refused.html", error.status, detail=error.detail)
    if isinstance(error, RequestValidationError) or (isinstance(error, HTTPException) and error.status_code == 404):
        return page(request, "not_found.html", 404)
    return None
