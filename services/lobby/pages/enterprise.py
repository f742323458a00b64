"""One enterprise from all sides: who it is, its class with every reason and event, and what would lower it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.database import reading
from libs.common.web.running import running
from services.lobby import asking, repository, views
from services.lobby.pages import purpose
from services.lobby.pages.purpose import Supervision, Watcher
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

BANDS: tuple[tuple[str, int, int], ...] = (("A", 0, 50), ("B", 50, 150), ("C", 150, 300), ("D", 300, 500))
"""The scale as it is drawn; where the classes begin is the scorecard's, beyond 500 points the mark stays at the end."""


NAMES_AT_ONCE = 100
"""In one question: each USCC takes 24 characters of its line."""


@routes.get("/{lang:language}/risk/{uscc:uscc}")
async def enterprise(request: Request, uscc: str, caller: Supervision) -> Response:
    if (why := purpose.given(request, uscc)) is None:
        return purpose.ask(request, uscc)
    risk = (await asking.get(request, "risk", f"/v1/enterprises/{uscc}/risk", purpose=why)).data
    watches = caller.has("risk_analyst", "regulator", "supervisor")
    answers, away = await asking.every(
        {
            "why": asking.get(request, "risk", f"/v1/enterprises/{uscc}/risk/explanation", purpose=why),
            "warnings": asking.get(request, "risk", "/v1/risk/warnings", purpose=why, uscc=uscc),
            "waiting": asking.get(request, "risk", "/v1/overrides", purpose=why, uscc=uscc, state="waiting"),
            "enterprise": asking.get(request, "registration", f"/v1/enterprises/{uscc}"),
            "permits": asking.get(request, "licensing", f"/v1/enterprises/{uscc}/permits", purpose=why),
            "credit": asking.get(request, "credit", f"/v1/enterprises/{uscc}/credit", purpose=why),
            **(_lists(request, uscc) if watches else {}),
        }
    )
    explained = answers.get("why") or {}
    async with reading(running(request).database) as connection:
        rows = await connection.fetch(repository.TIMELINE_OF_ENTERPRISE, uscc)
        changes = await connection.fetch(repository.RISK_HISTORY, uscc)
        evidence = await _evidence(connection, risk, explained)
    held = {one["id"] for one in asking.items(answers, "holding")}
    return page(
        request, "enterprise.html", uscc=uscc, risk=risk, enterprise=answers.get("enterprise") or {},
        credit=answers.get("credit") or {}, permits=list(asking.items(answers, "permits")), away=sorted(set(away)),
        lines=views.lines(map(dict, rows), staff=True), history=[row["codes"] for row in changes], bands=BANDS, why=why,
        evidence=evidence, explained=explained, parts=_parts(risk, explained), key=str(uuid4()),
        warnings=list(asking.items(answers, "warnings")), waiting=list(asking.items(answers, "waiting")),
        own=[one for one in asking.items(answers, "watch_lists") if one["owner"] == caller.subject], held=held,
        watches=watches, judges=caller.has("risk_analyst", "regulator"),
    )  # fmt: skip


def _lists(request: Request, uscc: str) -> dict[str, Any]:
    """The watch lists that the caller may see, and those among them that this enterprise is on."""
    return {
        "watch_lists": asking.get(request, "risk", "/v1/watch-lists", limit=200),
        "holding": asking.get(request, "risk", "/v1/watch-lists", uscc=uscc, limit=200),
    }


@routes.post("/{lang:language}/risk/{uscc:uscc}/watch/{list_id}")
async def watch(request: Request, uscc: str, list_id: UUID, _: Watcher) -> Response:
    """Put it on a list, or take it off."""
    typed = await request.form()
    method = "DELETE" if typed.get("act") == "off" else "PUT"
    path, key = f"/v1/watch-lists/{list_id}/enterprises/{uscc}", str(typed.get("key") or uuid4())
    await asking.send(request, "risk", path, {}, key=key, method=method)
    return RedirectResponse(f"/{language(request)}/risk/{uscc}#watch", 303)


async def called(request: Request, usccs: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """What enterprises are called, and who is away that should have said it."""
    if not (asked := sorted(set(usccs))):
        return {}, []
    parts = [asked[at : at + NAMES_AT_ONCE] for at in range(0, len(asked), NAMES_AT_ONCE)]
    answers, away = await asking.every(
        {part[0]: asking.get(request, "registration", "/v1/enterprise-names", uscc=part) for part in parts}
    )
    return {one["uscc"]: one["name"] for part in parts for one in asking.items(answers, part[0])}, sorted(set(away))


async def _evidence(
    connection: asyncpg.Connection, risk: Mapping[str, Any], explained: Mapping[str, Any]
) -> dict[str, views.Line]:
    """Every event that is named as a reason and that the lobby has heard of, in words."""
    since = explained.get("since") or {"differences": ()}
    named = [
        *(id for part in risk["contributions"] for id in part["event_ids"]),
        *(fact["event_id"] for line in explained.get("lines", ()) for fact in line["facts"]),
        *(id for one in since["differences"] for id in (*one["new_event_ids"], *one["gone_event_ids"])),
        *(change["event_id"] for way in explained.get("ways_down", ()) for change in way["changes"] or ()),
    ]
    rows = await connection.fetch(repository.EVENTS, list({UUID(id) for id in named}))
    return {str(row["event_id"]): views.line(dict(row)) for row in rows}


def _parts(risk: Mapping[str, Any], explained: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules that make up the score, the most first; what demands a class without points among them. `facts`: what
    each of them counts, where the explanation has come."""
    facts = {line["rule"]: line["facts"] for line in explained.get("lines", ()) if line["sector"] is None}
    return [
        {**part, "facts": facts.get(part["rule"], [{"event_id": id} for id in part["event_ids"]])}
        for part in sorted(risk["contributions"], key=lambda part: (-abs(part["points"]), part["rule"]))
    ]
