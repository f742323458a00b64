"""What those who supervise see of risk: the list, and one enterprise with every reason. Each look names its purpose."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.database import reading
from libs.common.identity import Caller
from libs.common.web import allowed
from libs.common.web.running import running
from services.lobby import asking, repository, sessions, views
from services.lobby.rendering import page
from services.lobby.route import language, own_path, pages

routes = pages()

Supervision = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor", "auditor")]
LIST = "list"
"""Under this name the purpose of looking at the list is kept; under its USCC, that of looking at an enterprise."""


def _purpose(request: Request, of: str) -> str | None:
    """The purpose that was given in this session for looking at this."""
    found: str | None = request.state.session.content.get("purposes", {}).get(of)
    return found


@routes.post("/{lang:language}/risk/purpose")
async def purpose(request: Request, _: Supervision) -> Response:
    """Asked once per session and enterprise; it goes with every look, into the audit of the service that is asked."""
    typed = await request.form()
    chosen, of = str(typed.get("purpose", "")), str(typed.get("of", LIST))
    after = own_path(str(typed.get("after", ""))) or f"/{language(request)}/risk"
    if chosen not in views.PURPOSES:
        return page(request, "purpose.html", 422, of=of, after=after, wrong=True)
    session: sessions.Session = request.state.session
    await sessions.keep(request, session, {"purposes": {**session.content.get("purposes", {}), of: chosen}})
    return RedirectResponse(after, 303)


def _ask_purpose(request: Request, of: str) -> Response:
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return page(request, "purpose.html", of=of, after=here, wrong=False)


@routes.get("/{lang:language}/risk")
async def risk_list(request: Request, _: Supervision, risk_class: str = "", cursor: str = "") -> Response:
    """Enterprises by class and score, page by page."""
    if (why := _purpose(request, LIST)) is None:
        return _ask_purpose(request, LIST)
    chosen = risk_class if risk_class in views.CLASSES else ""
    listed = (
        await asking.get(request, "risk", "/v1/risk/enterprises", purpose=why, risk_class=chosen, cursor=cursor)
    ).data
    answers, _away = await asking.every(
        {
            "distribution": asking.get(request, "risk", "/v1/risk/distribution", purpose=why),
            **{
                row["uscc"]: asking.get(request, "registration", f"/v1/enterprises/{row['uscc']}")
                for row in listed["items"]
            },
        }
    )
    return page(
        request,
        "risk.html",
        rows=listed["items"],
        next=listed.get("next"),
        chosen=chosen,
        enterprises=answers,
        distribution=(answers.get("distribution") or {}).get("classes", {}),
    )


@routes.get("/{lang:language}/risk/{uscc}")
async def enterprise(request: Request, uscc: str, _: Supervision) -> Response:
    """One enterprise from all sides: who it is, its class with every reason and event, what is missing, its history."""
    if (why := _purpose(request, uscc)) is None:
        return _ask_purpose(request, uscc)
    risk = (await asking.get(request, "risk", f"/v1/enterprises/{uscc}/risk", purpose=why)).data
    answers, away = await asking.every(
        {
            "enterprise": asking.get(request, "registration", f"/v1/enterprises/{uscc}"),
            "permits": asking.get(request, "licensing", f"/v1/enterprises/{uscc}/permits", purpose=why),
            "credit": asking.get(request, "credit", f"/v1/enterprises/{uscc}/credit", purpose=why),
        }
    )
    async with reading(running(request).database) as connection:
        rows = await connection.fetch(repository.TIMELINE_OF_ENTERPRISE, uscc)
        changes = await connection.fetch(repository.RISK_HISTORY, uscc)
        causes = [UUID(id) for part in risk["contributions"] for id in part["event_ids"]]
        events = await connection.fetch(repository.EVENTS, causes)
    history = [row["codes"] for row in changes]
    return page(
        request, "enterprise.html", uscc=uscc, risk=risk, enterprise=answers.get("enterprise") or {},
        credit=answers.get("credit") or {}, permits=list(asking.items(answers, "permits")), away=sorted(set(away)),
        lines=views.lines(map(dict, rows), staff=True), history=history, bands=BANDS, purpose=why,
        evidence={str(row["event_id"]): views.line(dict(row)) for row in events}, parts=_parts(risk),
    )  # fmt: skip


BANDS: tuple[tuple[str, int, int], ...] = (("A", 0, 50), ("B", 50, 150), ("C", 150, 300), ("D", 300, 500))
"""The scale as it is drawn; where the classes begin is the scorecard's, beyond 500 points the mark stays at the end."""


def _parts(risk: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What counts, the most first; what demands a class without points among it."""
    return sorted(risk["contributions"], key=lambda part: (-abs(part["points"]), part["rule"]))
