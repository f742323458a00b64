"""Applying for a permit: on commitment, in the ordinary way, or as a filing; and why commitment is shut."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import allowed
from services.lobby import asking, words
from services.lobby.asking import Refusal
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Applicant = Annotated[Caller, allowed("applicant", "agent")]
WAYS = ("commitment", "ordinary", "filing")
SHUT = "commitment-mode-shut"


async def _requirement(request: Request, application_id: UUID, item_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The case, and the requirement of this item in it. Raises Refusal 404 where there is none."""
    application = (await asking.get(request, "registration", f"/v1/applications/{application_id}")).data
    if application.get("uscc"):
        answer = await asking.get(request, "licensing", f"/v1/enterprises/{application['uscc']}/requirements")
        for one in asking.items({"found": answer.data}, "found"):
            if one["item_id"] == item_id:
                return application, dict(one)
    raise Refusal(404, {})


@routes.get("/{lang:language}/cases/{application_id}/permits/{item_id}")
async def begin(request: Request, application_id: UUID, item_id: str, _: Applicant) -> Response:
    application, requirement = await _requirement(request, application_id, item_id)
    return _shown(request, application, requirement)


def _shown(
    request: Request, application: dict[str, Any], requirement: dict[str, Any], errors: Any = (), status: int = 200,
    **more: Any,
) -> Response:  # fmt: skip
    return page(
        request, "permit.html", status, application=application, requirement=requirement, errors=errors,
        found={href[1:]: text for href, text in errors}, key=str(uuid4()), **{"shut": "", "way": "", **more},
    )  # fmt: skip


@routes.post("/{lang:language}/cases/{application_id}/permits/{item_id}")
async def apply(request: Request, application_id: UUID, item_id: str, _: Applicant) -> Response:
    application, requirement = await _requirement(request, application_id, item_id)
    typed = await request.form()
    way, accepted = str(typed.get("way", "")), typed.get("commitment_accepted") == "yes"
    if way not in WAYS:
        missing = [("#way", words.say(words.N_("Choose how to apply")))]
        return _shown(request, application, requirement, missing, 422)
    if way == "commitment" and not accepted:
        missing = [("#commitment_accepted", words.say(words.N_("Sign the commitment, or choose the ordinary way")))]
        return _shown(request, application, requirement, missing, 422, way=way)
    body = {"item_id": item_id, "way": way, "commitment_accepted": accepted}
    path, key = f"/v1/enterprises/{application['uscc']}/permit-applications", str(typed.get("key") or uuid4())
    try:
        await asking.send(request, "licensing", path, body, key=key)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        shut = refusal.problem if refusal.type == SHUT else ""
        grounds = [str(fault["detail"]) for fault in refusal.problem.get("errors") or ()]
        errors = [("#way", text) for text in grounds or [refusal.detail]]
        return _shown(request, application, requirement, errors, refusal.status, shut=shut, way=way)
    return RedirectResponse(f"/{language(request)}/cases/{application_id}#permits", 303)
