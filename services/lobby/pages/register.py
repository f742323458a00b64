"""The register at the registrar's desk: finding an enterprise, what was held of it and when, false registrations."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from services.lobby import asking, words
from services.lobby.asking import Refusal
from services.lobby.pages.leaving import TOLD_ON_THE_PAGE, Applicant, Errors
from services.lobby.pages.review import FALSE, MAX_REASON, Registrar, ruling, work_item
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()


@routes.get("/{lang:language}/register")
async def find(request: Request, _: Registrar, q: str = "", cursor: str = "") -> Response:
    """Enterprises by a part of their name, or by their identifier."""
    wanted = q.strip()[:60]
    answer = await asking.get(request, "registration", "/v1/enterprises", q=wanted, cursor=cursor)
    return page(request, "register.html", rows=answer.data["items"], next=answer.data["next"], q=wanted)


@routes.get("/{lang:language}/register/{uscc:uscc}")
async def held(request: Request, uscc: str, caller: Registrar) -> Response:
    return await _held(request, uscc, caller, [], {}, 200)


async def _held(
    request: Request, uscc: str, caller: Caller, errors: Errors, typed: Mapping[str, Any], status: int
) -> Response:
    """What the register holds and has held, what was asked for, and a case on false papers."""
    base = f"/v1/enterprises/{uscc}"
    enterprise = (await asking.get(request, "registration", base)).data
    answers, away = await asking.every(
        {
            "history": asking.get(request, "registration", f"{base}/history", limit=200),
            "requests": asking.get(request, "registration", f"{base}/deregistrations"),
            "case": asking.get(request, "registration", f"{base}/false-registration"),
        }
    )
    item = await work_item(request, uscc, FALSE)
    return page(
        request, "register_enterprise.html", status, enterprise=enterprise, away=sorted(set(away)), item=item,
        history=list(reversed(list(asking.items(answers, "history")))), case=answers.get("case"), key=str(uuid4()),
        requests=list(asking.items(answers, "requests")), errors=errors, typed=typed,
        mine=item is not None and item["claimed_by"] == caller.subject,
        found={href[1:]: text for href, text in errors},
    )  # fmt: skip


@routes.post("/{lang:language}/register/{uscc:uscc}/{act}")
async def act(request: Request, uscc: str, act: str, caller: Registrar) -> Response:
    """Open a case on false papers; once its notice has run, claim it, give it back, or decide on it with a reason."""
    given = await request.form()
    typed: dict[str, Any] = {name: str(value) for name, value in given.items()}
    typed["responsible"] = [str(one) for one in given.getlist("responsible")]
    key = typed.get("key") or str(uuid4())
    if act in ("claim", "release"):
        if (item := await work_item(request, uscc, FALSE)) is not None:
            path = f"/v1/work-items/{item['id']}/{act}"
            await asking.send(request, "registration", path, {}, key=key, version=str(item["version"]))
        return RedirectResponse(f"/{language(request)}/register/{uscc}", 303)
    path, version = f"/v1/enterprises/{uscc}/false-registration", None
    body: dict[str, Any]
    if act == "case":
        body, errors = {"reason": typed.get("reason", "").strip()[:MAX_REASON]}, []
        if not body["reason"]:
            errors = [("#reason", words.say(words.N_("Give the reason")))]
    elif act == "decision":
        path, version = f"{path}/decision", typed.get("version")
        body, errors = ruling(typed, ("withdraw", "dismiss"))
        body["responsible"] = (
            [str(one) for one in given.getlist("responsible")] if body["outcome"] == "withdraw" else []
        )
    else:
        return page(request, "not_found.html", 404)
    if not errors:
        try:
            await asking.send(request, "registration", path, body, key=key, version=version)
            return RedirectResponse(f"/{language(request)}/register/{uscc}", 303)
        except Refusal as refusal:
            if refusal.status not in TOLD_ON_THE_PAGE:
                raise
            errors = [("#main-content", refusal.detail)]
    return await _held(request, uscc, caller, errors, typed, 422)


@routes.get("/{lang:language}/false-registration/{uscc:uscc}")
async def notice(request: Request, uscc: str, _: Applicant, objected: str = "") -> Response:
    """The public notice that a registration is said to be false, and objecting while it runs."""
    return await _notice(request, uscc, [], {}, 200, objected=objected == "yes")


async def _notice(
    request: Request, uscc: str, errors: Errors, typed: Mapping[str, str], status: int, *, objected: bool = False
) -> Response:
    case = (await asking.get(request, "registration", f"/v1/enterprises/{uscc}/false-registration")).data
    enterprise = (await asking.get(request, "registration", f"/v1/enterprises/{uscc}")).data
    return page(
        request, "false_registration.html", status, case=case, enterprise=enterprise, errors=errors, typed=typed,
        found={href[1:]: text for href, text in errors}, key=str(uuid4()), objected=objected,
    )  # fmt: skip


@routes.post("/{lang:language}/false-registration/{uscc:uscc}")
async def object_to_notice(request: Request, uscc: str, _: Applicant) -> Response:
    typed = {name: str(value) for name, value in (await request.form()).items()}
    said = typed.get("words", "").strip()[:MAX_REASON]
    if not said:
        return await _notice(request, uscc, [("#words", words.say(words.N_("Say what you object")))], typed, 422)
    path, key = f"/v1/enterprises/{uscc}/false-registration/objections", typed.get("key") or str(uuid4())
    try:
        await asking.send(request, "registration", path, {"words": said}, key=key)
    except Refusal as refusal:
        if refusal.status not in TOLD_ON_THE_PAGE:
            raise
        return await _notice(request, uscc, [("#words", refusal.detail)], typed, refusal.status)
    return RedirectResponse(f"/{language(request)}/false-registration/{uscc}?objected=yes", 303)
