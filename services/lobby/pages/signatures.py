"""Signatures: forms that wait for mine; one of them read and signed."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import allowed
from services.lobby import asking, words
from services.lobby.asking import Refusal
from services.lobby.forms import INVESTOR
from services.lobby.pages.form import declared, shown
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Applicant = Annotated[Caller, allowed("applicant", "agent")]
NOT_DECLARED = words.N_("Confirm that you have read the form")


@routes.get("/{lang:language}/signatures")
async def waiting(request: Request, _: Applicant, cursor: str = "") -> Response:
    found = (await asking.get(request, "registration", "/v1/signatures", cursor=cursor)).data
    return page(request, "signatures.html", rows=found["items"], further=found["next"])


@routes.get("/{lang:language}/signatures/{application_id}/{signer}")
async def read(request: Request, application_id: UUID, signer: str, _: Applicant) -> Response:
    """The form as it is to be signed."""
    return await _shown(request, application_id, signer)


async def _shown(
    request: Request, application_id: UUID, signer: str, *, errors: Any = (), status: int = 200
) -> Response:  # fmt: skip
    sent = (await asking.get(request, "registration", f"/v1/applications/{application_id}/form")).data
    return page(
        request, "signature.html", status, application_id=str(application_id), signer=signer, digest=sent["digest"],
        declared=declared(sent["form"]), investors=_investors(sent["form"]), form=sent["form"], key=str(uuid4()),
        errors=errors,
    )  # fmt: skip


def _investors(form: Mapping[str, Any]) -> list[list[str]]:
    """Each investor line by line."""
    return [
        [shown(field, one[field.path]) for field in INVESTOR.fields if field.kind != "yes" and one.get(field.path)]
        for one in form["investors"]
    ]


@routes.post("/{lang:language}/signatures/{application_id}/{signer}")
async def sign(request: Request, application_id: UUID, signer: str, _: Applicant) -> Response:
    """Sign what was read: the page carries its digest, so that a form changed meanwhile is not signed."""
    typed = {name: str(value) for name, value in (await request.form()).items()}
    if typed.get("declared") != "yes":
        errors = [("#declared", words.say(NOT_DECLARED))]
        return await _shown(request, application_id, signer, errors=errors, status=422)
    body = {"signer": signer, "digest": typed.get("digest", "")}
    path, key = f"/v1/applications/{application_id}/signatures", typed.get("key") or str(uuid4())
    try:
        await asking.send(request, "registration", path, body, key=key)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        told = [str(one["detail"]) for one in refusal.problem.get("errors") or ()] or [refusal.detail]
        errors = [("#main-content", text) for text in told]
        return await _shown(request, application_id, signer, errors=errors, status=refusal.status)
    return RedirectResponse(f"/{language(request)}/signatures", 303)
