"""The register at the registrar's desk: finding an enterprise, what was held of it and when, false registrations."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from services.lobby import asking, words
from services.lobby.pages.leaving import Applicant
from services.lobby.pages.review import (
    FALSE,
    HANDLING,
    MAX_REASON,
    Errors,
    Registrar,
    handle,
    ruling,
    send,
    work_item,
)
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
    here, path = f"/{language(request)}/register/{uscc}", f"/v1/enterprises/{uscc}/false-registration"
    if act in HANDLING:
        await handle(request, uscc, FALSE, act, typed)
        return RedirectResponse(here, 303)
    errors: Errors
    if act == "case":
        body: dict[str, Any] = {"reason": typed.get("reason", "").strip()[:MAX_REASON]}
        errors = [] if body["reason"] else [("#reason", words.say(words.N_("Give the reason")))]
    elif act == "decision":
        path = f"{path}/decision"
        body, errors = ruling(typed, ("withdraw", "dismiss"))
        body["responsible"] = typed["responsible"] if body["outcome"] == "withdraw" else []
    else:
        return page(request, "not_found.html", 404)
    errors = errors or await send(request, path, body, typed)
    return await _held(request, uscc, caller, errors, typed, 422) if errors else RedirectResponse(here, 303)


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
    path = f"/v1/enterprises/{uscc}/false-registration/objections"
    if errors := await send(request, path, {"words": said}, typed, "#words"):
        return await _notice(request, uscc, errors, typed, 422)
    return RedirectResponse(f"/{language(request)}/false-registration/{uscc}?objected=yes", 303)
