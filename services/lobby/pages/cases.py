"""The applicant's cases: the list, one case over all departments as it moves, corrections, withdrawal."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from libs.common.database import reading
from libs.common.identity import Caller
from libs.common.web import allowed
from libs.common.web.running import running
from services.lobby import asking, forms, repository, sessions, views
from services.lobby.asking import Refusal
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Applicant = Annotated[Caller, allowed("applicant", "agent")]
LOOK_SECONDS = 0.5
SILENT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Held:
    """Where one permit or filing stands."""

    state: str
    permit_id: str | None = None
    decide_by: str | None = None


@routes.get("/{lang:language}/cases")
async def my_cases(request: Request, _: Applicant, cursor: str = "") -> Response:
    """What I have applied for; where I must act comes first."""
    answers, away = await asking.every(
        {
            "cases": asking.get(request, "registration", "/v1/applications", cursor=cursor),
            "drafts": asking.get(request, "registration", "/v1/drafts"),
        }
    )
    cases = sorted(asking.items(answers, "cases"), key=lambda case: views.working_order(case["status"]))
    following = (answers.get("cases") or {}).get("next")
    return page(
        request, "cases.html", cases=cases, drafts=list(asking.items(answers, "drafts")), away=away, next=following
    )


@routes.get("/{lang:language}/cases/{application_id}")
async def case(request: Request, application_id: UUID, _: Applicant) -> Response:
    """One case: where it stands, what happens next and by when, what happened, permits, credit restrictions."""
    application = (await asking.get(request, "registration", f"/v1/applications/{application_id}")).data
    answers: Mapping[str, Any] = {}
    away: list[str] = []
    if uscc := application.get("uscc"):
        answers, away = await asking.every(
            {
                "enterprise": asking.get(request, "registration", f"/v1/enterprises/{uscc}"),
                "requirements": asking.get(request, "licensing", f"/v1/enterprises/{uscc}/requirements"),
                "permits": asking.get(request, "licensing", f"/v1/enterprises/{uscc}/permits"),
                "filings": asking.get(request, "licensing", f"/v1/enterprises/{uscc}/filings"),
                "asked_for": asking.get(request, "licensing", "/v1/permit-applications", uscc=uscc),
                "corrections": asking.get(request, "supervision", "/v1/corrections"),
                "credit": asking.get(request, "credit", f"/v1/enterprises/{uscc}/credit"),
            }
        )
    orders = [
        one
        for one in asking.items(answers, "corrections")
        if one["uscc"] == uscc and one["state"] in ("ordered", "overdue")
    ]
    return page(
        request, "case.html", application=application, enterprise=answers.get("enterprise"), away=sorted(set(away)),
        requirements=list(asking.items(answers, "requirements")), held=_held(answers), orders=orders,
        credit=answers.get("credit") or {}, worked_out="requirements" in answers, key=str(uuid4()),
        **await _timeline(request, application_id),
    )  # fmt: skip


def _held(answers: Mapping[str, Any]) -> dict[str, Held]:
    """Where each item stands: what was granted, revoked or recorded; otherwise what was asked for last."""
    found = {
        one["item_id"]: Held(one["status"], None, one["decide_by"])
        for one in reversed(list(asking.items(answers, "asked_for")))
    }
    for one in asking.items(answers, "filings"):
        found[one["item_id"]] = Held("recorded")
    for one in reversed(list(asking.items(answers, "permits"))):
        if found.get(one["item_id"], Held("")).state != "in_review":
            found[one["item_id"]] = Held("revoked" if one["revoked_on"] else "granted", one["id"])
    return found


async def _timeline(request: Request, application_id: UUID) -> dict[str, Any]:
    async with reading(running(request).database) as connection:
        newest = await connection.fetchval(repository.NEWEST_OF_APPLICATION, application_id)
        rows = await connection.fetch(repository.TIMELINE_OF_APPLICATION, application_id)
    return {"lines": views.lines(map(dict, rows), staff=False), "newest": newest, "application_id": application_id}


async def _require_own(request: Request, application_id: UUID, caller: Caller) -> None:
    async with reading(running(request).database) as connection:
        if not await connection.fetchval(repository.OWNS_APPLICATION, application_id, caller.subject):
            raise Refusal(404, {})


@routes.get("/{lang:language}/cases/{application_id}/timeline")
async def timeline(request: Request, application_id: UUID, caller: Applicant) -> Response:
    """The part of the page that changes."""
    await _require_own(request, application_id, caller)
    return page(request, "_timeline.html", **await _timeline(request, application_id))


@routes.get("/{lang:language}/cases/{application_id}/live")
async def live(request: Request, application_id: UUID, caller: Applicant, since: int = 0) -> Response:
    """Says that something has changed, never what: the page then fetches what its reader may see."""
    await _require_own(request, application_id, caller)
    stream = _changes(request, application_id, request.state.session, since)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _changes(request: Request, application_id: UUID, session: sessions.Session, seen: int) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    silent = 0.0
    while True:
        async with reading(running(request).database) as connection:
            newest = await connection.fetchval(repository.NEWEST_OF_APPLICATION, application_id)
        if newest > seen:
            seen, silent = newest, 0.0
            yield f"id: {newest}\nevent: case-changed\ndata: {newest}\n\n"
        if silent >= SILENT_SECONDS:
            if not await sessions.lives(request, session):
                return
            silent = 0.0
            yield ": still here\n\n"
        silent += LOOK_SECONDS
        await asyncio.sleep(LOOK_SECONDS)


@routes.post("/{lang:language}/cases/{application_id}/withdrawal")
async def withdraw(request: Request, application_id: UUID, _: Applicant) -> Response:
    typed = await request.form()
    await asking.send(
        request, "registration", f"/v1/applications/{application_id}/withdrawal", {},
        key=str(typed.get("key") or uuid4()),
    )  # fmt: skip
    return RedirectResponse(f"/{language(request)}/cases/{application_id}", 303)


@routes.get("/{lang:language}/cases/{application_id}/corrections")
async def corrections(request: Request, application_id: UUID, _: Applicant) -> Response:
    """What the officer asks for, in the officer's words."""
    answer = await asking.get(request, "registration", f"/v1/applications/{application_id}")
    return page(request, "corrections.html", application=answer.data, key=str(uuid4()), label_of=forms.label_of)


@routes.post("/{lang:language}/cases/{application_id}/corrections")
async def begin_corrections(request: Request, application_id: UUID, _: Applicant) -> Response:
    """The form as it was sent, as a draft that knows which fields are asked for and where it goes back to."""
    path = f"/v1/applications/{application_id}"
    application = (await asking.get(request, "registration", path)).data
    sent = (await asking.get(request, "registration", f"{path}/form")).data
    content = {
        **forms.content_of(sent["form"]),
        "corrects": {
            "application_id": str(application_id),
            "version": str(application["version"]),
            "fields": application["corrections"],
            "name": application["enterprise_name"],
        },
    }
    key = str((await request.form()).get("key") or uuid4())
    draft = await asking.send(request, "registration", "/v1/drafts", {"content": content}, key=key)
    return RedirectResponse(f"/{language(request)}/apply/{draft.data['id']}", 303)
