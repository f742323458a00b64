"""A class that people set beside the computed one: proposed by one, signed by another, ended by a day or a person."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.lobby import asking, forms, views, words
from services.lobby.asking import Refusal
from services.lobby.pages import purpose
from services.lobby.pages.enterprise import called
from services.lobby.pages.purpose import Judge, Supervision
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

ROWS = 25
MAX_REASON = 2_000


@routes.get("/{lang:language}/risk/overrides")
async def list_overrides(request: Request, _: Supervision, state: str = "waiting", cursor: str = "") -> Response:
    """Overrides in one state, the newest first; those that wait for a second signature where none is named."""
    if (why := purpose.given(request)) is None:
        return purpose.ask(request)
    state = state if state in views.OVERRIDE_STATES else "waiting"
    path = "/v1/overrides"
    found = (await asking.get(request, "risk", path, purpose=why, state=state, cursor=cursor, limit=ROWS)).data
    names, away = await called(request, [row["uscc"] for row in found["items"]])
    return page(
        request, "overrides.html", rows=found["items"], further=found["next"], state=state, why=why, names=names,
        away=away,
    )  # fmt: skip


@routes.get("/{lang:language}/risk/overrides/{override_id}")
async def read_override(request: Request, override_id: UUID, caller: Supervision) -> Response:
    if purpose.given(request) is None:
        return purpose.ask(request)
    return await _shown(request, override_id, judges=caller.has("risk_analyst", "regulator"), account=caller.subject)


async def _shown(
    request: Request, override_id: UUID, *, judges: bool, account: str, status: int = 200, errors: Any = (),
    typed: Any = None,
) -> Response:  # fmt: skip
    why = purpose.given(request)
    one = (await asking.get(request, "risk", f"/v1/overrides/{override_id}", purpose=why)).data
    names, away = await called(request, [one["uscc"]])
    return page(
        request, "override.html", status, override=one, names=names, away=away, judges=judges, account=account,
        key=str(uuid4()), errors=errors, found={href[1:]: text for href, text in errors}, typed=typed or {}, why=why,
    )  # fmt: skip


@routes.post("/{lang:language}/risk/overrides/{override_id}/{act}")
async def act(request: Request, override_id: UUID, act: str, caller: Judge) -> Response:
    """Sign what somebody else has proposed, or end it with a reason."""
    typed = {name: str(value).strip() for name, value in (await request.form()).items()}
    if act not in ("signature", "withdrawal"):
        return page(request, "not_found.html", 404)
    reason = typed.get("reason", "")[:MAX_REASON]
    errors, status = [], 422
    if act == "withdrawal" and not reason:
        errors = [("#reason", words.say(words.N_("Give the reason")))]
    if not errors:
        body = {"reason": reason} if act == "withdrawal" else {}
        path, key = f"/v1/overrides/{override_id}/{act}", typed.get("key") or str(uuid4())
        try:
            await asking.send(request, "risk", path, body, key=key, version=typed.get("version"))
            return RedirectResponse(f"/{language(request)}/risk/overrides/{override_id}", 303)
        except Refusal as refusal:
            if refusal.status not in (409, 412, 422):
                raise
            errors, status = [("#main-content", refusal.detail)], refusal.status
    return await _shown(
        request, override_id, judges=True, account=caller.subject, status=status, errors=errors, typed=typed
    )


@routes.get("/{lang:language}/risk/{uscc:uscc}/override")
async def propose(request: Request, uscc: str, _: Judge) -> Response:
    """The form by which a class is set beside the computed one."""
    if purpose.given(request, uscc) is None:
        return purpose.ask(request, uscc)
    return await _form(request, uscc)


async def _form(
    request: Request, uscc: str, *, status: int = 200, errors: Any = (), typed: Any = None
) -> Response:  # fmt: skip
    why = purpose.given(request, uscc)
    risk = (await asking.get(request, "risk", f"/v1/enterprises/{uscc}/risk", purpose=why)).data
    names, away = await called(request, [uscc])
    return page(
        request, "propose_override.html", status, risk=risk, uscc=uscc, names=names, away=away,
        key=str(uuid4()), errors=errors, found={href[1:]: text for href, text in errors}, typed=typed or {}, why=why,
    )  # fmt: skip


@routes.post("/{lang:language}/risk/{uscc:uscc}/override")
async def send_proposal(request: Request, uscc: str, _: Judge) -> Response:
    typed = {name: str(value).strip() for name, value in (await request.form()).items()}
    body, errors = _proposal(typed)
    status = 422
    if not errors:
        path, key = f"/v1/enterprises/{uscc}/risk/override", typed.get("key") or str(uuid4())
        try:
            made = await asking.send(request, "risk", path, body, key=key)
            return RedirectResponse(f"/{language(request)}/risk/overrides/{made.data['id']}", 303)
        except Refusal as refusal:
            if refusal.status not in (409, 422):
                raise
            errors, status = _told(refusal), refusal.status
    if purpose.given(request, uscc) is None:
        return RedirectResponse(f"/{language(request)}/risk/{uscc}/override", 303)
    return await _form(request, uscc, status=status, errors=errors, typed=typed)


def _proposal(typed: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    letter, reason = typed.get("risk_class", ""), typed.get("reason", "")[:MAX_REASON]
    until = forms.read_day(typed.get("expires_on", ""))
    errors = []
    if letter not in views.CLASSES:
        errors.append(("#risk_class", words.say(words.N_("Choose a class"))))
    if not reason:
        errors.append(("#reason", words.say(words.N_("Give the reason"))))
    if until is None:
        errors.append(("#expires_on", words.say(forms.WRONG_DAY)))
    return {"risk_class": letter, "reason": reason, "expires_on": until or ""}, errors


def _told(refusal: Refusal) -> list[tuple[str, str]]:
    """What risk refuses, by the field that it names."""
    faults = refusal.problem.get("errors") or ()
    return [(f"#{one['field']}", str(one["detail"])) for one in faults] or [("#main-content", refusal.detail)]
