"""The registrar's desk: the queue, one case with its screening, the decision, and asking for corrections."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.database import reading
from libs.common.identity import Caller
from libs.common.web import allowed
from libs.common.web.running import running
from services.lobby import asking, forms, repository, views, words
from services.lobby.asking import Refusal
from services.lobby.pages.form import declared
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Registrar = Annotated[Caller, allowed("registrar")]
QUEUE, SECOND = "registration.review", "registration.countersignature"
LEAVING, FALSE = "registration.deregistration", "registration.false_registration"
NAMES = "/v1/enterprise-names"
OTHER_QUEUES = {"second": SECOND, "leaving": LEAVING, "false": FALSE}
VIEWS = (
    ("open", words.N_("Unassigned")), ("mine", words.N_("Mine")), ("escalated", words.N_("Overdue")),
    ("second", words.N_("To countersign")), ("leaving", words.N_("Leaving the register")),
    ("false", words.N_("False registrations")),
)  # fmt: skip
STATES = tuple(state for state, _ in VIEWS)
MAX_REASON = 2_000
HANDLING = ("claim", "release")
Errors = list[tuple[str, str]]
Read = tuple[dict[str, Any], Errors]
"""A command as registration takes it, and what is to be mended first."""


@routes.get("/{lang:language}/queue")
async def queue(request: Request, _: Registrar, state: str = "open", q: str = "", cursor: str = "") -> Response:
    """The work queue. A row leads to the case; looking needs no claim."""
    state = state if state in STATES else "open"
    answers, away = await asking.every(
        {
            **{
                view: asking.get(
                    request, "registration", "/v1/work-items", queue=OTHER_QUEUES.get(view, QUEUE),
                    state="" if view in OTHER_QUEUES else view, cursor=cursor if view == state else "",
                )
                for view in STATES
            },
            "cases": asking.get(request, "registration", "/v1/applications", status="in_review", limit=200),
        }
    )  # fmt: skip
    names = {case["id"]: case["enterprise_name"] for case in asking.items(answers, "cases")}
    if state in ("leaving", "false") and (those := [item["subject"] for item in asking.items(answers, state)]):
        called, _away = await asking.every({"names": asking.get(request, "registration", NAMES, uscc=those)})
        names = {one["uscc"]: one["name"] for one in asking.items(called, "names")}
    rows = [{**item, "name": names.get(item["subject"], item["subject"])} for item in asking.items(answers, state)]
    wanted = q.strip().lower()
    rows = [row for row in rows if wanted in f"{row['name']} {row['subject']}".lower()]
    return page(
        request, "queue.html", rows=rows, q=q, state=state, views=VIEWS, away=sorted(set(away)),
        counts={view: len(list(asking.items(answers, view))) for view in STATES},
        more={view: bool((answers.get(view) or {}).get("next")) for view in STATES},
        next=(answers.get(state) or {}).get("next"),
    )  # fmt: skip


async def work_item(request: Request, subject: UUID | str, queue: str = QUEUE) -> Mapping[str, Any] | None:
    """The open work item of a case, whoever has it."""
    for state in ("mine", "open", "escalated"):
        answer = await asking.get(request, "registration", "/v1/work-items", queue=queue, state=state, limit=200)
        for item in answer.data["items"]:
            if item["subject"] == str(subject):
                return dict(item)
    return None


async def handle(request: Request, subject: UUID | str, queue: str, act: str, typed: Mapping[str, Any]) -> None:
    """Claim the open work item of a case, or give it back, as the form asks."""
    if (item := await work_item(request, subject, queue)) is not None:
        path, key = f"/v1/work-items/{item['id']}/{act}", typed.get("key") or str(uuid4())
        await asking.send(request, "registration", path, {}, key=key, version=str(item["version"]))


async def send(
    request: Request, path: str, body: Any, typed: Mapping[str, Any], field: str = "#main-content"
) -> Errors:
    """Send what a form asks for, under its key and version. What is refused because of what was typed, or because of
    what somebody else has done meanwhile, is told on the page, at `field`."""
    try:
        await asking.send(
            request, "registration", path, body, key=typed.get("key") or str(uuid4()), version=typed.get("version")
        )
    except Refusal as refusal:
        if refusal.status not in (409, 412, 422):
            raise
        return [(field, refusal.detail)]
    return []


async def _case(
    request: Request, application_id: UUID, caller: Caller, template: str = "review.html", status: int = 200,
    errors: Any = (), typed: Any = None,
) -> Response:  # fmt: skip
    application = await asking.get(request, "registration", f"/v1/applications/{application_id}")
    form = (await asking.get(request, "registration", f"/v1/applications/{application_id}/form")).data["form"]
    item = await work_item(request, application_id) if application.data["status"] == "in_review" else None
    second = await work_item(request, application_id, SECOND) if application.data["proposed"] else None
    async with reading(running(request).database) as connection:
        rows = await connection.fetch(repository.TIMELINE_OF_APPLICATION, application_id)
    return page(
        request, template, status, application=application.data, version=application.data["version"], item=item,
        mine=item is not None and item["claimed_by"] == caller.subject, second=second, account=caller.subject,
        declared=declared(form), form=form, lines=views.lines(map(dict, rows), staff=True), key=str(uuid4()),
        errors=errors, found={href[1:]: text for href, text in errors}, typed=typed or {}, fields=_fields(),
    )  # fmt: skip


def _fields() -> list[tuple[str, str]]:
    """The fields that can be sent back, by their paths."""
    plain = [
        (field.path, words.say(field.label))
        for key in ("name", "place", "capital", "people")
        for field in forms.STEPS[key].fields
    ]
    return [*plain, ("activities", words.say(words.N_("Activities"))), ("investors", words.say(words.N_("Investors")))]


@routes.get("/{lang:language}/queue/{application_id}")
async def review(request: Request, application_id: UUID, caller: Registrar) -> Response:
    return await _case(request, application_id, caller)


@routes.post("/{lang:language}/queue/{application_id}/{act}")
async def act(request: Request, application_id: UUID, act: str, caller: Registrar) -> Response:
    """Claim it, give it back, decide with a reason, countersign what another has proposed, or ask for corrections."""
    typed = {name: str(value) for name, value in (await request.form()).items()}
    here = f"/{language(request)}/queue/{application_id}"
    if act in HANDLING:
        await handle(request, application_id, SECOND if typed.get("queue") == SECOND else QUEUE, act, typed)
        return RedirectResponse(here, 303)
    if act not in _READ:
        return page(request, "not_found.html", 404)
    body, errors = _READ[act](typed)
    errors = errors or await send(request, f"/v1/applications/{application_id}/{act}", body, typed)
    if not errors:
        return RedirectResponse(here, 303)
    template = "ask_corrections.html" if act == "corrections" else "review.html"
    return await _case(request, application_id, caller, template, 422, errors, typed)


@routes.get("/{lang:language}/queue/{application_id}/corrections")
async def ask_corrections(request: Request, application_id: UUID, caller: Registrar) -> Response:
    return await _case(request, application_id, caller, "ask_corrections.html")


def ruling(typed: Mapping[str, str], outcomes: tuple[str, str] = ("register", "refuse")) -> Read:
    """A decision with its reason; `errors` where one is missing."""
    reason, outcome = typed.get("reason", "").strip(), typed.get("outcome", "")
    errors = []
    if outcome not in outcomes:
        errors.append(("#outcome", words.say(words.N_("Choose a decision"))))
    if not reason:
        errors.append(("#reason", words.say(words.N_("Give the reason"))))
    return {"outcome": outcome, "reason": reason[:MAX_REASON]}, errors


def _countersignature(typed: Mapping[str, str]) -> Read:
    return ruling(typed, ("confirm", "return"))


def _corrections(typed: Mapping[str, str]) -> Read:
    asked = [name.removeprefix("ask:") for name, value in typed.items() if name.startswith("ask:") and value == "yes"]
    if not asked:
        return {}, [("#fields", words.say(words.N_("Tick one field at least")))]
    fields = [{"field": path, "words": typed.get(f"words:{path}", "").strip()[:MAX_REASON]} for path in asked]
    errors = [
        (f"#words-{one['field']}", words.say(words.N_("Say what to correct: %(field)s"),
                                             field=words.say(forms.label_of(one["field"]))))
        for one in fields
        if not one["words"]
    ]  # fmt: skip
    return {"fields": fields}, errors


_READ: Mapping[str, Callable[[Mapping[str, str]], Read]] = {
    "decision": ruling, "countersignature": _countersignature, "corrections": _corrections,
}  # fmt: skip
