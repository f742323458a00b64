"""What anyone may open: the start page, sign-in and sign-out, checks of certificates and licences, built files."""

import re
from typing import Annotated, Any
from unicodedata import normalize
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from libs.common.web import Anyone
from services.lobby import asking, sessions, sign_in, words
from services.lobby.rendering import assets, page
from services.lobby.route import USCC, language, own_path, pages
from services.lobby.security import STATIC

routes, rest = pages(), pages()


@routes.get("/")
async def home(request: Request, _: Anyone) -> Response:
    return RedirectResponse(f"/{language(request)}/", 303)


@routes.get("/{lang:language}/")
async def start(request: Request, _: Anyone) -> Response:
    return page(request, "start.html")


@routes.get("/{lang:language}/help")
async def help_page(request: Request, _: Anyone) -> Response:
    return page(request, "help.html")


@routes.get("/{lang:language}/accessibility")
async def accessibility(request: Request, _: Anyone) -> Response:
    return page(request, "accessibility.html")


@routes.get("/{lang:language}/privacy")
async def privacy(request: Request, _: Anyone) -> Response:
    return page(request, "privacy.html")


@routes.get("/{lang:language}/sign-in")
async def begin(request: Request, caller: Anyone, after: str = "") -> Response:
    """Off to the issuer; what its answer is checked against stays in a session that is nobody's yet."""
    spoken = language(request)
    back_to = own_path(after) or f"/{spoken}/"
    if caller is not None:
        return RedirectResponse(back_to, 303)
    url, kept = await sign_in.begin(request, spoken, back_to)
    response = RedirectResponse(url, 303)
    await sessions.begin(request, response, kept)
    return response


@routes.get(sign_in.BACK)
async def back(request: Request, _: Anyone) -> Response:
    """Back from the issuer: a new session under a new id, with whoever has signed in."""
    session: sessions.Session | None = request.state.session
    kept: Any = {} if session is None else session.content
    try:
        content = await sign_in.finish(request, kept)
    except sign_in.NotSignedIn:
        return page(request, "not_signed_in.html", 403)
    response = RedirectResponse(own_path(kept["after"]) or "/", 303)
    await sessions.begin(request, response, content)
    return response


@routes.post("/{lang:language}/sign-out")
async def sign_out(request: Request, _: Anyone) -> Response:
    response = RedirectResponse(f"/{language(request)}/", 303)
    await sessions.end(request, response)
    return response


@routes.get("/v/{permit_id}")
async def check(request: Request, permit_id: UUID, _: Anyone) -> Response:
    """The short address on a certificate's code, in the reader's language."""
    return RedirectResponse(f"/{language(request)}/v/{permit_id}", 303)


@routes.get("/{lang:language}/v/{permit_id}")
async def certificate(request: Request, permit_id: UUID, _: Anyone) -> Response:
    """Is this certificate in force today?"""
    found = (await asking.get(request, "licensing", f"/v1/permits/{permit_id}/certificate")).data
    enterprise = {}
    if found.get("uscc"):
        answers, _away = await asking.every(
            {"enterprise": asking.get(request, "registration", f"/v1/enterprises/{found['uscc']}")}
        )
        enterprise = answers.get("enterprise", {})
    return page(request, "certificate.html", permit_id=str(permit_id), found=found, enterprise=enterprise)


@routes.get("/{lang:language}/l")
async def find_licence(request: Request, _: Anyone, uscc: str | None = None) -> Response:
    """Whoever has no code to scan types the identifier: in any case, in full-width characters, with spaces."""
    typed = "".join(normalize("NFKC", uscc or "").upper().split())
    if re.fullmatch(USCC, typed):
        return RedirectResponse(f"/{language(request)}/l/{typed}", 303)
    wrong = uscc is not None
    errors = [("#uscc", words.say(words.N_("Enter the 18 characters of the USCC")))] if wrong else []
    return page(request, "find_licence.html", 422 if wrong else 200, errors=errors, typed=uscc or "")


@routes.get("/l/{uscc}")
async def check_licence(request: Request, uscc: str, _: Anyone) -> Response:
    """The short address on a printed licence's code, in the reader's language."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{language(request)}/l/{quote(uscc, safe='')}{query}", 303)


@routes.get("/{lang:language}/l/{uscc}")
async def licence(request: Request, uscc: str, _: Anyone, v: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Is this business licence in force today, and is the copy (of version `v`) what the register holds?"""
    path = f"/v1/enterprises/{quote(uscc, safe='')}"
    found = (await asking.get(request, "registration", f"{path}/licence")).data
    answers, _away = await asking.every({"case": asking.get(request, "registration", f"{path}/false-registration")})
    noticed = "case" in answers and answers["case"]["outcome"] is None
    return page(request, "licence.html", found=found, changed=0 < v < found["document"]["version"], noticed=noticed)


@routes.get(STATIC + "dist/{name}")
async def built(request: Request, name: str, _: Anyone) -> Response:
    """A built file. Its name holds its digest, so that it may be kept for good."""
    asset = assets().get(name)
    if asset is None:
        return Response(status_code=404)
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.compressed, headers={"content-encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, media_type=asset.media_type)


@rest.get("/{lang:language}/{nowhere:path}")
async def unknown(request: Request, _: Anyone) -> Response:
    return page(request, "not_found.html", 404)
