"""Lists of enterprises that a regulator keeps an eye on: made, renamed, filled, emptied and deleted."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.lobby import asking, forms, words
from services.lobby.asking import Refusal
from services.lobby.pages import purpose
from services.lobby.pages.enterprise import called
from services.lobby.pages.purpose import Watcher
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

ROWS = 25
CHANGES = 10
USCC = re.compile("[0-9A-HJ-NPQRTUWXY]{18}")
NO_NAME = words.N_("Give the list a name")
NO_USCC = words.N_("Enter the USCC: 18 digits and capital letters")


@routes.get("/{lang:language}/risk/watch-lists")
async def my_lists(request: Request, caller: Watcher, cursor: str = "") -> Response:
    return await _lists(request, caller.subject, cursor=cursor)


async def _lists(
    request: Request, account: str, *, cursor: str = "", status: int = 200, errors: Any = (), typed: Any = None
) -> Response:
    found = (await asking.get(request, "risk", "/v1/watch-lists", cursor=cursor)).data
    return page(
        request, "watch_lists.html", status, rows=found["items"], further=found["next"], account=account,
        key=str(uuid4()), errors=errors, found={href[1:]: text for href, text in errors}, typed=typed or {},
    )  # fmt: skip


@routes.post("/{lang:language}/risk/watch-lists")
async def make(request: Request, caller: Watcher) -> Response:
    typed = await _typed(request)
    if not typed.get("name"):
        errors = [("#name", words.say(NO_NAME))]
        return await _lists(request, caller.subject, status=422, errors=errors, typed=typed)
    try:
        made = await asking.send(request, "risk", "/v1/watch-lists", {"name": typed["name"]}, key=typed["key"])
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        errors = [("#name", refusal.detail)]
        return await _lists(request, caller.subject, status=refusal.status, errors=errors, typed=typed)
    return RedirectResponse(f"/{language(request)}/risk/watch-lists/{made.data['id']}", 303)


@routes.get("/{lang:language}/risk/watch-lists/{list_id}")
async def read_list(request: Request, list_id: UUID, caller: Watcher, cursor: str = "") -> Response:
    """What a list holds, and what was announced of it lately."""
    if purpose.given(request) is None:
        return purpose.ask(request)
    return await _list(request, list_id, caller.subject, cursor=cursor)


async def _list(
    request: Request, list_id: UUID, account: str, *, cursor: str = "", status: int = 200, errors: Any = (),
    typed: Any = None,
) -> Response:  # fmt: skip
    path, why = f"/v1/watch-lists/{list_id}", purpose.given(request)
    one = (await asking.get(request, "risk", path)).data
    held = (await asking.get(request, "risk", f"{path}/enterprises", purpose=why, cursor=cursor, limit=ROWS)).data
    answers, away = await asking.every(
        {"changes": asking.get(request, "risk", f"{path}/changes", purpose=why, limit=CHANGES)}
    )
    changes = list(asking.items(answers, "changes"))
    names, unnamed = await called(request, [row["uscc"] for row in (*held["items"], *changes)])
    return page(
        request, "watch_list.html", status, list=one, rows=held["items"], further=held["next"], changes=changes,
        names=names, away=away + unnamed, why=why,
        is_mine=one["owner"] == account, key=str(uuid4()), errors=errors,
        found={href[1:]: text for href, text in errors}, typed=typed or {},
    )  # fmt: skip


@routes.post("/{lang:language}/risk/watch-lists/{list_id}/{act}")
async def act(request: Request, list_id: UUID, act: str, caller: Watcher) -> Response:
    """Rename it, add or remove an enterprise, or delete it."""
    typed = await _typed(request)
    command = _command(f"/v1/watch-lists/{list_id}", act, typed)
    if command is None:
        return page(request, "not_found.html", 404)
    field, fault, (method, path, body) = command
    here = f"/{language(request)}/risk/watch-lists"
    errors, status = [(f"#{field}", words.say(fault))] if fault else [], 422
    if not errors:
        version = typed.get("version") if act in ("name", "deletion") else None
        try:
            await asking.send(request, "risk", path, body, key=typed["key"], version=version, method=method)
            return RedirectResponse(here if act == "deletion" else f"{here}/{list_id}", 303)
        except Refusal as refusal:
            if refusal.status not in (404, 409, 412, 422):
                raise
            errors, status = [(f"#{field}", refusal.detail)], refusal.status
    if purpose.given(request) is None:
        return RedirectResponse(f"{here}/{list_id}", 303)
    return await _list(request, list_id, caller.subject, status=status, errors=errors, typed=typed)


def _command(path: str, act: str, typed: Mapping[str, str]) -> tuple[str, str, tuple[str, str, dict[str, str]]] | None:
    """The field that a refusal belongs to, what is wrong with it, and the command to risk; None for no such act."""
    name, uscc = typed.get("name", ""), forms.plain(typed.get("uscc", "")).upper()
    no_uscc = "" if USCC.fullmatch(uscc) else NO_USCC
    match act:
        case "name":
            return "name", "" if name else NO_NAME, ("PATCH", path, {"name": name})
        case "addition":
            return "uscc", no_uscc, ("PUT", f"{path}/enterprises/{uscc}", {})
        case "removal":
            return "main-content", no_uscc, ("DELETE", f"{path}/enterprises/{uscc}", {})
        case "deletion":
            return "main-content", "", ("DELETE", path, {})
    return None


async def _typed(request: Request) -> dict[str, str]:
    typed = {name: str(value).strip() for name, value in (await request.form()).items()}
    return {**typed, "key": typed.get("key") or str(uuid4())}
