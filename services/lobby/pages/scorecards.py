"""Scorecards: each with its rules and how far it has come, the shadow beside the one in force, put in force by two."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Path, Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import allowed
from services.lobby import asking, views, words
from services.lobby.asking import Refusal
from services.lobby.pages import purpose
from services.lobby.pages.enterprise import called
from services.lobby.pages.purpose import Judge
from services.lobby.pages.statistics import GROUPS, bar_of, group_name, published_bar
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Reader = Annotated[Caller, allowed("risk_analyst", "regulator", "auditor")]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
ROWS = 25
MAX_REASON = 2_000
ACTS: Mapping[str, bool] = {
    "shadow": True, "activation": True, "activation/signature": False, "activation/refusal": True, "withdrawal": True,
    "rollback": True,
}  # fmt: skip
"""What may be done with a scorecard, and whether it wants a reason."""


@routes.get("/{lang:language}/risk/scorecards")
async def list_scorecards(request: Request, _: Reader, cursor: str = "") -> Response:
    """Every scorecard, the newest first. No enterprise is shown, so that no purpose is asked for."""
    found = (await asking.get(request, "risk", "/v1/scorecards", cursor=cursor, limit=ROWS)).data
    return page(request, "scorecards.html", rows=found["items"], further=found["next"])


@routes.get("/{lang:language}/risk/scorecards/{digest}")
async def read_scorecard(request: Request, digest: Digest, caller: Reader) -> Response:
    return await _shown(request, digest, caller)


async def _shown(
    request: Request, digest: str, caller: Caller, *, status: int = 200, errors: Any = (), typed: Any = None
) -> Response:
    card = (await asking.get(request, "risk", f"/v1/scorecards/{digest}")).data
    progress = card["progress"] or {}
    return page(
        request, "scorecard.html", status, card=card, parts=[card["document"], *(card["document"]["sectors"] or [])],
        drafts=caller.has("risk_analyst"), signs=caller.has("risk_analyst", "regulator"), account=caller.subject,
        share=100 * progress.get("done", 0) / (progress.get("total") or 1), key=str(uuid4()), errors=errors,
        found={href[1:]: text for href, text in errors}, typed=typed or {},
    )  # fmt: skip


@routes.post("/{lang:language}/risk/scorecards/{digest}/{act:path}")
async def act(request: Request, digest: Digest, act: str, caller: Judge) -> Response:
    """Begin a comparison, propose, sign or refuse, take back: risk says who may and when."""
    typed = {name: str(value).strip() for name, value in (await request.form()).items()}
    if act not in ACTS:
        return page(request, "not_found.html", 404)
    reason = typed.get("reason", "")[:MAX_REASON]
    errors, status = [], 422
    if ACTS[act] and not reason:
        errors = [("#reason", words.say(words.N_("Give the reason")))]
    if not errors:
        path = "/v1/scorecards/rollback" if act == "rollback" else f"/v1/scorecards/{digest}/{act}"
        version = None if act == "rollback" else typed.get("version")
        body = {"reason": reason} if ACTS[act] else {}
        try:
            done = await asking.send(request, "risk", path, body, key=typed.get("key") or str(uuid4()), version=version)
            return RedirectResponse(f"/{language(request)}/risk/scorecards/{done.data['digest']}", 303)
        except Refusal as refusal:
            if refusal.status not in (409, 412, 422):
                raise
            errors, status = [("#main-content", refusal.detail)], refusal.status
    return await _shown(request, digest, caller, status=status, errors=errors, typed=typed)


@routes.get("/{lang:language}/risk/scorecards/{digest}/comparison")
async def compare(request: Request, digest: Digest, _: Reader, by: str = "sector") -> Response:
    """How many would change from which class to which, and both distributions beside what others have published."""
    by = by if by in GROUPS else "sector"
    card = (await asking.get(request, "risk", f"/v1/scorecards/{digest}")).data
    try:
        told = (await asking.get(request, "risk", f"/v1/scorecards/{digest}/comparison", by=by)).data
    except Refusal as refusal:
        if refusal.status != 409:
            raise
        return page(request, "comparison.html", 409, card=card, told=None, why_not=refusal.detail)
    bars = [
        bar_of(words.say(words.N_("The scorecard in force")), told["in_force"]),
        bar_of(words.say(words.N_("This scorecard")), told["shadow"]),
        *(published_bar(one) for one in told["published"]),
    ]
    groups = [
        (bar_of(group_name(by, one["key"]), one["in_force"]), bar_of("", one["shadow"]), one["rise"], one["fall"])
        for one in told["groups"]
    ]
    return page(request, "comparison.html", card=card, told=told, bars=bars, by=by, groups=GROUPS, compared=groups)


@routes.get("/{lang:language}/risk/scorecards/{digest}/comparison/enterprises")
async def changing(
    request: Request, digest: Digest, _: Reader, before: str = "", then: str = "", cursor: str = ""
) -> Response:
    """Who would be in another class, page by page."""
    if (why := purpose.given(request)) is None:
        return purpose.ask(request)
    chosen = {name: letter if letter in views.CLASSES else "" for name, letter in (("before", before), ("then", then))}
    path = f"/v1/scorecards/{digest}/comparison/enterprises"
    found = (await asking.get(request, "risk", path, purpose=why, cursor=cursor, limit=ROWS, **chosen)).data
    names, away = await called(request, [row["uscc"] for row in found["items"]])
    return page(
        request, "changing.html", digest=digest, rows=found["items"], further=found["next"], names=names, away=away,
        why=why, before=chosen["before"], then=chosen["then"],
    )  # fmt: skip
