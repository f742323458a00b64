"""What people should look at: warnings, taken up and closed with an outcome."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.lobby import asking, views, words
from services.lobby.asking import Refusal
from services.lobby.pages import purpose
from services.lobby.pages.enterprise import called
from services.lobby.pages.purpose import Supervision, Watcher
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

ROWS = 25
MAX_NOTE = 2_000


@routes.get("/{lang:language}/risk/warnings")
async def list_warnings(
    request: Request, _: Supervision, state: str = "open", kind: str = "", cursor: str = ""
) -> Response:
    """Warnings in one state, the newest first."""
    if (why := purpose.given(request)) is None:
        return purpose.ask(request)
    state = state if state in views.WARNING_STATES else "open"
    kind = kind if kind in views.WARNING_KINDS else ""
    path = "/v1/risk/warnings"
    found = (
        await asking.get(request, "risk", path, purpose=why, state=state, kind=kind, cursor=cursor, limit=ROWS)
    ).data
    names, away = await called(request, [row["uscc"] for row in found["items"] if row["uscc"]])
    return page(
        request, "warnings.html", rows=found["items"], further=found["next"], state=state, kind=kind, why=why,
        names=names, away=away,
    )  # fmt: skip


@routes.get("/{lang:language}/risk/warnings/{warning_id}")
async def read_warning(request: Request, warning_id: UUID, caller: Supervision) -> Response:
    if purpose.given(request) is None:
        return purpose.ask(request)
    return await _shown(request, warning_id, may_act=caller.has("risk_analyst", "regulator", "supervisor"))


async def _shown(
    request: Request, warning_id: UUID, *, may_act: bool, status: int = 200, errors: Any = (), typed: Any = None
) -> Response:
    why = purpose.given(request)
    warning = (await asking.get(request, "risk", f"/v1/risk/warnings/{warning_id}", purpose=why)).data
    names, away = await called(request, warning["enterprises"])
    return page(
        request, "warning.html", status, warning=warning, names=names, away=away, may_act=may_act, key=str(uuid4()),
        errors=errors, found={href[1:]: text for href, text in errors}, typed=typed or {}, why=why,
    )  # fmt: skip


@routes.post("/{lang:language}/risk/warnings/{warning_id}/{act}")
async def act(request: Request, warning_id: UUID, act: str, _: Watcher) -> Response:
    """Take it up, or close it with its outcome."""
    typed = {name: str(value).strip() for name, value in (await request.form()).items()}
    if act not in ("acknowledgement", "closing"):
        return page(request, "not_found.html", 404)
    here = f"/{language(request)}/risk/warnings/{warning_id}"
    errors = [] if act == "acknowledgement" else _faults(typed)
    status = 422
    if not errors:
        body = {} if act == "acknowledgement" else _closing(typed)
        path, key = f"/v1/risk/warnings/{warning_id}/{act}", typed.get("key") or str(uuid4())
        try:
            await asking.send(request, "risk", path, body, key=key, version=typed.get("version"))
            return RedirectResponse(here, 303)
        except Refusal as refusal:
            if refusal.status not in (409, 412, 422):
                raise
            errors, status = [("#main-content", refusal.detail)], refusal.status
    return await _shown(request, warning_id, may_act=True, status=status, errors=errors, typed=typed)


def _faults(typed: Mapping[str, str]) -> list[tuple[str, str]]:
    return [] if typed.get("outcome") in views.OUTCOMES else [("#outcome", words.say(words.N_("Choose an outcome")))]


def _closing(typed: Mapping[str, str]) -> dict[str, str]:
    note = typed.get("note", "")[:MAX_NOTE]
    return {"outcome": typed["outcome"]} | ({"note": note} if note else {})
