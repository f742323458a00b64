"""A page's route: who may open it, the two locks of its forms, and every refusal as a page in the reader's language.

Rights are named as in the services (`allowed("registrar")`, `Anyone`); who asks is the browser's session.
"""

from collections.abc import Awaitable, Callable
from typing import cast
from urllib.parse import quote, urlsplit

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException

from libs.common.database import is_database_error
from libs.common.identity import IssuerAway
from libs.common.problems import Language, Problem, language_of
from libs.common.web.rights import rights_of
from libs.common.web.running import running
from services.lobby import sessions, words
from services.lobby.asking import Away, Refusal, SignedOut
from services.lobby.rendering import page
from services.lobby.security import CrossSite, same_site_form

log = structlog.get_logger()

LANGUAGE_COOKIE = "language"
USCC = "[0-9A-HJ-NPQRTUWXY]{18}"


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Language(_Text):
    regex = "zh|en"


class _Uscc(_Text):
    regex = USCC


register_url_convertor("language", _Language())
register_url_convertor("uscc", _Uscc())


class PageRoute(APIRoute):
    """A route that answers with a page, whatever happens."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        rights = rights_of(self.dependant, self.path)
        is_form = "POST" in (self.methods or ())

        async def answer(request: Request) -> Response:
            words.language.set(language(request))
            request.state.session = request.state.caller = None
            try:
                session = request.state.session = await sessions.of(request)
                caller = request.state.caller = None if session is None else session.caller
                await running(request).rates.count(caller, request.client.host if request.client else "")
                if rights is not None and caller is None:
                    return to_sign_in(request)
                if rights is not None and caller is not None and not caller.has(*rights):
                    return page(request, "forbidden.html", 403)
                if is_form:
                    await same_site_form(request, session)
                return _remembering(request, await handle(request))
            except Exception as error:
                return _as_page(request, error)

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


def _remembering(request: Request, response: Response) -> Response:
    """The language that was chosen last, for addresses that name none."""
    spoken = request.path_params.get("lang")
    if spoken and spoken != request.cookies.get(LANGUAGE_COOKIE):
        response.set_cookie(LANGUAGE_COOKIE, spoken, max_age=31_536_000, httponly=True, samesite="lax")
    return response


def _as_page(request: Request, error: Exception) -> Response:
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
    if isinstance(error, Problem) and error.status == 429:
        response = page(request, "too_often.html", 429)
        response.headers["retry-after"] = str(error.retry_after)
        return response
    if is_database_error(error):
        log.warning("no database for a page", error=type(error).__name__)
        return page(request, "away.html", 503, service="lobby")
    log.error("a page failed", exc_info=error)
    return page(request, "failed.html", 500)
