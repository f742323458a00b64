"""Why somebody looks: asked once per session and enterprise, once for all lists; it goes with each look."""

from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import allowed
from services.lobby import sessions, views
from services.lobby.rendering import page
from services.lobby.route import language, own_path, pages

routes = pages()

Supervision = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor", "auditor")]
Watcher = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor")]
Judge = Annotated[Caller, allowed("risk_analyst", "regulator")]
"""Who may look, who keeps an eye on enterprises, and who may set a class beside the computed one."""
LISTS = "list"
"""Under this name the purpose of looking at lists is kept; under its USCC, that of looking at an enterprise."""


def given(request: Request, of: str = LISTS) -> str | None:
    """The purpose that was given in this session for looking at this."""
    found: str | None = request.state.session.content.get("purposes", {}).get(of)
    return found


def ask(request: Request, of: str = LISTS) -> Response:
    """The question, which leads back to the page that was asked for."""
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return page(request, "purpose.html", of=of, after=here, wrong=False)


@routes.post("/{lang:language}/risk/purpose")
async def answer(request: Request, _: Supervision) -> Response:
    typed = await request.form()
    chosen, of = str(typed.get("purpose", "")), str(typed.get("of", LISTS))
    after = own_path(str(typed.get("after", ""))) or f"/{language(request)}/risk"
    if chosen not in views.PURPOSES:
        return page(request, "purpose.html", 422, of=of, after=after, wrong=True)
    session: sessions.Session = request.state.session
    await sessions.keep(request, session, {"purposes": {**session.content.get("purposes", {}), of: chosen}})
    return RedirectResponse(after, 303)
