"""An enterprise leaves the register: asking for it, objecting while its notice runs, an officer's decision."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import allowed
from services.lobby import asking, words
from services.lobby.pages.review import (
    HANDLING,
    LEAVING,
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

Applicant = Annotated[Caller, allowed("applicant", "agent")]


async def _enterprise(request: Request, uscc: str, template: str, status: int, **values: Any) -> Response:
    """The enterprise, and what it has asked for where the reader may see that."""
    enterprise = (await asking.get(request, "registration", f"/v1/enterprises/{uscc}")).data
    answers, away = await asking.every(
        {"requests": asking.get(request, "registration", f"/v1/enterprises/{uscc}/deregistrations")}
    )
    return page(
        request, template, status, enterprise=enterprise, requests=list(asking.items(answers, "requests")),
        own="requests" in answers, away=away, key=str(uuid4()), **values,
    )  # fmt: skip


async def _leaving(
    request: Request, uscc: str, errors: Errors, typed: dict[str, str], status: int, *, objected: bool = False
) -> Response:
    return await _enterprise(
        request, uscc, "leaving.html", status, errors=errors, found={href[1:]: text for href, text in errors},
        typed=typed, objected=objected,
    )  # fmt: skip


@routes.get("/{lang:language}/leaving/{uscc:uscc}")
async def leaving(request: Request, uscc: str, _: Applicant, objected: str = "") -> Response:
    """To the enterprise: what it has asked for, how that ended, and asking. To others: the notice, and objecting."""
    return await _leaving(request, uscc, [], {}, 200, objected=objected == "yes")


@routes.post("/{lang:language}/leaving/{uscc:uscc}")
async def ask(request: Request, uscc: str, _: Applicant) -> Response:
    typed = {name: str(value) for name, value in (await request.form()).items()}
    if typed.get("procedure") not in ("simplified", "general"):
        return await _leaving(request, uscc, [("#procedure", words.say(words.N_("Choose a procedure")))], typed, 422)
    return await _sent(request, uscc, "", {"procedure": typed["procedure"]}, typed, "#procedure")


@routes.post("/{lang:language}/leaving/{uscc:uscc}/objection")
async def object_to(request: Request, uscc: str, _: Applicant) -> Response:
    typed = {name: str(value) for name, value in (await request.form()).items()}
    said = typed.get("words", "").strip()[:MAX_REASON]
    if not said:
        return await _leaving(request, uscc, [("#words", words.say(words.N_("Say what you object")))], typed, 422)
    return await _sent(request, uscc, "/objections", {"words": said}, typed, "#words")


async def _sent(
    request: Request, uscc: str, act: str, body: dict[str, str], typed: dict[str, str], field: str
) -> Response:
    errors = await send(request, f"/v1/enterprises/{uscc}/deregistration{act}", body, typed, field)
    if errors:
        return await _leaving(request, uscc, errors, typed, 422)
    return RedirectResponse(f"/{language(request)}/leaving/{uscc}{'?objected=yes' if act else ''}", 303)


@routes.get("/{lang:language}/queue/leaving/{uscc:uscc}")
async def request_of(request: Request, uscc: str, caller: Registrar) -> Response:
    """A request that waits for an officer, with what was objected to earlier ones."""
    return await _request_of(request, uscc, caller, [], {}, 200)


async def _request_of(
    request: Request, uscc: str, caller: Caller, errors: Errors, typed: dict[str, str], status: int
) -> Response:
    item = await work_item(request, uscc, LEAVING)
    return await _enterprise(
        request, uscc, "leaving_review.html", status, item=item, errors=errors, typed=typed,
        mine=item is not None and item["claimed_by"] == caller.subject,
        found={href[1:]: text for href, text in errors},
    )  # fmt: skip


@routes.post("/{lang:language}/queue/leaving/{uscc:uscc}/{act}")
async def act(request: Request, uscc: str, act: str, caller: Registrar) -> Response:
    """Claim the request, give it back, or decide on it with a reason."""
    typed = {name: str(value) for name, value in (await request.form()).items()}
    here = f"/{language(request)}/queue/leaving/{uscc}"
    if act in HANDLING:
        await handle(request, uscc, LEAVING, act, typed)
        return RedirectResponse(here, 303)
    if act != "decision":
        return page(request, "not_found.html", 404)
    body, errors = ruling(typed, ("deregister", "refuse"))
    errors = errors or await send(request, f"/v1/enterprises/{uscc}/deregistration/decision", body, typed)
    return await _request_of(request, uscc, caller, errors, typed, 422) if errors else RedirectResponse(here, 303)
