"""Names: anyone looks one up; an applicant has one kept, and gives it back."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import Anyone, allowed
from services.lobby import asking, forms
from services.lobby.asking import Refusal
from services.lobby.forms import NAME_CHECK
from services.lobby.pages.form import options, said
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Applicant = Annotated[Caller, allowed("applicant", "agent")]
NAMES_OF_FIELDS = frozenset(field.name for field in NAME_CHECK.fields)


@routes.get("/{lang:language}/names")
async def look_up(request: Request, caller: Anyone) -> Response:
    """What stands against a name, and what it is like; what was typed stands in the address. Nothing is kept."""
    typed = {name: value for name, value in request.query_params.items() if name in NAMES_OF_FIELDS}
    if not typed:
        return await _shown(request, caller, {"division": "上海"})
    body, faults = _asked(typed)
    if faults:
        return await _shown(request, caller, typed, errors=said(faults), status=422)
    try:
        answer = (await asking.send(request, "registration", "/v1/name-checks", body, key=str(uuid4()))).data
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return await _shown(request, caller, typed, errors=_told(refusal), status=422)
    return await _shown(request, caller, typed, answer=answer)


@routes.post("/{lang:language}/names")
async def reserve(request: Request, caller: Applicant) -> Response:
    typed = {name: str(value) for name, value in (await request.form()).items()}
    body, faults = _asked(typed)
    if faults:
        return await _shown(request, caller, typed, errors=said(faults), status=422)
    body["prior_approval"] = typed.get("prior_approval") == "yes"
    key = typed.get("key") or str(uuid4())
    try:
        await asking.send(request, "registration", "/v1/name-reservations", body, key=key)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _shown(request, caller, typed, errors=_told(refusal), status=refusal.status)
    return RedirectResponse(f"/{language(request)}/names", 303)


@routes.post("/{lang:language}/names/{reservation_id}/release")
async def release(request: Request, reservation_id: UUID, _: Applicant) -> Response:
    path = f"/v1/name-reservations/{reservation_id}"
    await asking.send(request, "registration", path, None, key=str(uuid4()), method="DELETE")
    return RedirectResponse(f"/{language(request)}/names", 303)


async def _shown(
    request: Request, caller: Caller | None, typed: Mapping[str, str], *, answer: Mapping[str, Any] | None = None,
    errors: Any = (), status: int = 200,
) -> Response:  # fmt: skip
    may_keep = caller is not None and caller.has("applicant", "agent")
    answers, away = await asking.every(
        {"kept": asking.get(request, "registration", "/v1/name-reservations", limit=200)} if may_keep else {}
    )
    return page(
        request, "names.html", status, step=NAME_CHECK, typed=typed, answer=answer, may_keep=may_keep, options=options,
        kept=list(asking.items(answers, "kept")), away=away, key=str(uuid4()), errors=errors,
        found={href[1:]: text for href, text in errors},
    )  # fmt: skip


def _asked(typed: Mapping[str, str]) -> tuple[dict[str, Any], list[forms.Fault]]:
    """The question as registration takes it."""
    found, faults = forms.read(NAME_CHECK, typed)
    parts = {path.removeprefix("enterprise_name."): value for path, value in found.items() if "." in path}
    plain = {path: value for path, value in found.items() if "." not in path}
    return {"enterprise_name": parts, **plain}, faults


def _told(refusal: Refusal) -> list[tuple[str, str]]:
    """What registration refuses, by the field that it names."""
    faults = refusal.problem.get("errors") or [{"field": "main-content", "detail": refusal.detail}]
    told = [(f"#{str(one['field']).rpartition('.')[2]}", str(one["detail"])) for one in faults]
    return [(href if href[1:] in NAMES_OF_FIELDS else "#main-content", text) for href, text in told]
