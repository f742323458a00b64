"""The single form: drafts, the task list, one page per step, check and sign."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from libs.common.identity import Caller
from libs.common.web import allowed
from services.lobby import asking, forms, policy, words
from services.lobby.asking import Refusal
from services.lobby.forms import INVESTOR, STEPS, Fault
from services.lobby.names import name_of
from services.lobby.rendering import page
from services.lobby.route import language, pages

routes = pages()

Applicant = Annotated[Caller, allowed("applicant", "agent")]
PLAIN_STEPS = "name|place|capital|people"
FOUND_AT_MOST = 20
DECLARATION = Fault("declared", words.N_("Confirm the declaration"))


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as registration keeps it; `version` is what a change of it is made from."""

    id: UUID
    content: dict[str, Any]
    version: str
    saved_at: str


async def _draft(request: Request, id: UUID) -> Draft:
    answer = await asking.get(request, "registration", f"/v1/drafts/{id}")
    return Draft(id, dict(answer.data["content"]), str(answer.data["version"]), answer.data["saved_at"])


async def _save(request: Request, draft: Draft, version: str, more: Mapping[str, Any]) -> Draft | None:
    """Keep what was typed; None where the draft has been changed elsewhere since the page was made."""
    content = {**draft.content, **more}
    try:
        answer = await asking.send(
            request, "registration", f"/v1/drafts/{draft.id}", {"content": content}, key=str(uuid4()),
            version=version, method="PUT",
        )  # fmt: skip
    except Refusal as refusal:
        if refusal.status != 412:
            raise
        return None
    return Draft(draft.id, content, str(answer.data["version"]), answer.data["saved_at"])


def _to(request: Request, draft: Draft, *steps: str) -> Response:
    return RedirectResponse("/".join([f"/{language(request)}/apply/{draft.id}", *steps]), 303)


def _after(key: str) -> str:
    """The step that follows, the last of them being to check and sign."""
    keys = [*STEPS, "check"]
    return keys[keys.index(key) + 1]


async def _typed(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@routes.get("/{lang:language}/apply")
async def begin(request: Request, _: Applicant) -> Response:
    answers, away = await asking.every({"drafts": asking.get(request, "registration", "/v1/drafts")})
    return page(request, "apply.html", drafts=list(asking.items(answers, "drafts")), away=away, key=str(uuid4()))


@routes.post("/{lang:language}/apply")
async def new_draft(request: Request, _: Applicant) -> Response:
    key = (await _typed(request)).get("key") or str(uuid4())
    content = {"name": {"division": "上海"}}
    answer = await asking.send(request, "registration", "/v1/drafts", {"content": content}, key=key)
    return RedirectResponse(f"/{language(request)}/apply/{answer.data['id']}", 303)


@routes.get("/{lang:language}/apply/{draft_id}")
async def tasks(request: Request, draft_id: UUID, _: Applicant) -> Response:
    """What is done and what is left, in any order."""
    draft = await _draft(request, draft_id)
    states = {
        key: "done" if not forms.faults_of(draft.content, key) else "begun" if forms.begun(draft.content, key) else ""
        for key in STEPS
    }
    return page(
        request, "tasks.html", draft=draft, steps=STEPS, states=states, ready=forms.ready(draft.content),
        asked={key: forms.asked_of(draft.content, key) for key in STEPS}, label_of=forms.label_of,
    )  # fmt: skip


@routes.post("/{lang:language}/apply/{draft_id}/discard")
async def discard(request: Request, draft_id: UUID, _: Applicant) -> Response:
    await asking.send(request, "registration", f"/v1/drafts/{draft_id}", None, key=str(uuid4()), method="DELETE")
    return RedirectResponse(f"/{language(request)}/apply", 303)


@routes.get("/{lang:language}/apply/{draft_id}/check")
async def check(request: Request, draft_id: UUID, _: Applicant) -> Response:
    """All answers with the way back to each; the declaration; the signature."""
    return _check(request, await _draft(request, draft_id), str(uuid4()))


def _check(request: Request, draft: Draft, key: str, faults: Any = (), status: int = 200) -> Response:
    body = forms.application_of(draft.content)
    answers = {
        key: [
            (field, shown(field, found[field.path]))
            for found in [forms.read(step, forms.typed_in(draft.content, key))[0]]
            for field in step.fields
            if field.path in found
        ]
        for key, step in STEPS.items()
    }
    left = [step for step in STEPS.values() if forms.faults_of(draft.content, step.key)]
    return page(
        request, "check.html", status, draft=draft, steps=STEPS, investor=INVESTOR, key=key, errors=faults,
        facts=len(body.get("permit_facts", {})), left=left, answers=answers, parties=_parties(body),
    )  # fmt: skip


def _parties(body: Mapping[str, Any]) -> list[list[str]]:
    """The investors as they are read back, line by line."""
    return [
        [
            words.say(field.label) if field.kind == "yes" else shown(field, one[field.path])
            for field in INVESTOR.fields
            if one.get(field.path)
        ]
        for one in body["investors"]
    ]


@routes.post("/{lang:language}/apply/{draft_id}/check")
async def sign(request: Request, draft_id: UUID, _: Applicant) -> Response:
    """Submit under the key that the page was made with: pressing twice submits once."""
    draft, typed = await _draft(request, draft_id), await _typed(request)
    key = typed.get("key") or str(uuid4())
    if not forms.ready(draft.content):
        return _check(request, draft, key, status=422)
    if typed.get("declared") != "yes":
        return _check(request, draft, key, [("#declared", words.say(DECLARATION.words))], 422)
    try:
        application_id = await _submit(request, draft, key)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _check(request, draft, str(uuid4()), returned(request, draft, refusal), 422)
    return RedirectResponse(f"/{language(request)}/cases/{application_id}", 303)


async def _submit(request: Request, draft: Draft, key: str) -> str:
    """A new application, or a corrected one back to where it came from; the draft goes with it."""
    body = {**forms.application_of(draft.content), "draft_id": str(draft.id)}
    corrects = draft.content.get("corrects")
    if corrects is None:
        return str((await asking.send(request, "registration", "/v1/applications", body, key=key)).data["id"])
    path = f"/v1/applications/{corrects['application_id']}/resubmission"
    await asking.send(request, "registration", path, body, key=key, version=corrects["version"])
    return str(corrects["application_id"])


def returned(request: Request, draft: Draft, refusal: Refusal) -> list[tuple[str, str]]:
    """Where to mend what registration has found, and its sentence."""
    found = []
    for fault in refusal.problem.get("errors") or [{"field": "", "detail": refusal.detail}]:
        step, field = forms.step_of(fault["field"])
        href = "#main-content" if step == "check" else f"/{language(request)}/apply/{draft.id}/{step}#{field}"
        found.append((href, str(fault["detail"])))
    return found


@routes.get("/{lang:language}/apply/{draft_id}/activities")
async def activities(request: Request, draft_id: UUID, _: Applicant, q: str = "") -> Response:
    return _activities(request, await _draft(request, draft_id), q)


def _activities(request: Request, draft: Draft, q: str, errors: Any = (), status: int = 200) -> Response:
    chosen = forms.listed_in(draft.content, "activities")
    return page(
        request, "activities.html", status, draft=draft, step=STEPS["activities"], number=3, q=q, errors=errors,
        chosen=chosen, found=[code for code in industries(q) if code not in chosen], at_most=FOUND_AT_MOST,
    )  # fmt: skip


def industries(q: str) -> list[str]:
    """The classes whose code begins with, or whose names contain, what is looked for."""
    wanted = q.strip().lower()
    if not wanted:
        return []
    known = policy.current()["industry"].values()
    found = [
        row.code
        for row in known
        if row.code.startswith(wanted) or wanted in (row.zh or "").lower() or wanted in (row.en or "").lower()
    ]
    return found[:FOUND_AT_MOST]


@routes.post("/{lang:language}/apply/{draft_id}/activities")
async def change_activities(request: Request, draft_id: UUID, _: Applicant) -> Response:
    draft, typed = await _draft(request, draft_id), await _typed(request)
    chosen = forms.listed_in(draft.content, "activities")
    if "continue" in typed:
        if faults := forms.faults_of(draft.content, "activities"):
            return _activities(request, draft, "", said(faults), 422)
        return _to(request, draft, _after("activities"))
    added, removed, main = typed.get("add", ""), typed.get("remove", ""), typed.get("main", "")
    if added in policy.current()["industry"] and len(chosen) < forms.MAX_ACTIVITIES:
        chosen = [*chosen, added]
    chosen = [code for code in dict.fromkeys(chosen) if code != removed]
    if main in chosen:
        chosen = [main, *(code for code in chosen if code != main)]
    kept = {key: value for key, value in draft.content.items() if key != "permits"}
    await _save(request, Draft(draft.id, kept, draft.version, ""), draft.version, {"activities": chosen})
    return _to(request, draft, "activities")


@routes.get("/{lang:language}/apply/{draft_id}/investors")
async def investors(request: Request, draft_id: UUID, _: Applicant) -> Response:
    return _investors(request, await _draft(request, draft_id))


def _investors(request: Request, draft: Draft, errors: Any = (), status: int = 200) -> Response:
    listed = forms.listed_in(draft.content, "investors")
    return page(
        request, "investors.html", status, draft=draft, step=INVESTOR, number=5, investors=listed, errors=errors,
        complete=[not forms.read(INVESTOR, one)[1] for one in listed],
    )  # fmt: skip


@routes.post("/{lang:language}/apply/{draft_id}/investors")
async def change_investors(request: Request, draft_id: UUID, _: Applicant) -> Response:
    draft, typed = await _draft(request, draft_id), await _typed(request)
    listed = forms.listed_in(draft.content, "investors")
    if typed.get("remove", "").isdigit():
        gone = int(typed["remove"]) - 1
        kept = [one for number, one in enumerate(listed) if number != gone]
        await _save(request, draft, draft.version, {"investors": kept})
        return _to(request, draft, "investors")
    if faults := forms.investor_faults(listed):
        return _investors(request, draft, said(faults), 422)
    return _to(request, draft, _after("investors"))


@routes.get("/{lang:language}/apply/{draft_id}/investors/{number}")
async def investor(request: Request, draft_id: UUID, number: int, _: Applicant) -> Response:
    draft = await _draft(request, draft_id)
    listed = forms.listed_in(draft.content, "investors")
    typed = listed[number - 1] if 0 < number <= len(listed) else {}
    return _step(request, draft, INVESTOR, typed, number=number)


@routes.post("/{lang:language}/apply/{draft_id}/investors/{number}")
async def save_investor(request: Request, draft_id: UUID, number: int, _: Applicant) -> Response:
    draft, typed = await _draft(request, draft_id), await _typed(request)
    listed = forms.listed_in(draft.content, "investors")
    values = {field.name: typed.get(field.name, "") for field in INVESTOR.fields}
    position = min(max(number - 1, 0), len(listed), forms.MAX_INVESTORS - 1)
    changed = {"investors": [*listed[:position], values, *listed[position + 1 :]]}
    return await _saved(request, draft, INVESTOR, typed, changed, "investors", number)


@routes.get("/{lang:language}/apply/{draft_id}/permits")
async def permits(request: Request, draft_id: UUID, _: Applicant) -> Response:
    draft = await _draft(request, draft_id)
    found, away = await needed(request, draft)
    return _permits(request, draft, found, away)


async def needed(request: Request, draft: Draft) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The permits and filings that licensing sees for the activities, with the questions that some depend on."""
    answers, away = await asking.every(
        {
            "needed": asking.get(
                request, "licensing", "/v1/permit-requirements",
                activity=forms.listed_in(draft.content, "activities"),
            )
        }
    )  # fmt: skip
    return list(asking.items(answers, "needed")), away


def _permits(
    request: Request, draft: Draft, found: list[Mapping[str, Any]], away: list[str], errors: Any = (),
    status: int = 200,
) -> Response:  # fmt: skip
    return page(
        request, "form_permits.html", status, draft=draft, step=STEPS["permits"], number=7, found=found, away=away,
        typed=forms.typed_in(draft.content, "permits"), questions=questions(found), errors=errors,
    )  # fmt: skip


def questions(found: list[Mapping[str, Any]]) -> dict[str, str]:
    """The questions to be answered, by the code of what they are about."""
    asked: dict[str, str] = {}
    for row in found:
        for question in row["questions"]:
            if question["answered_by"] == "applicant":
                asked.setdefault(question["fact"], question["words"])
    return asked


@routes.post("/{lang:language}/apply/{draft_id}/permits")
async def answer_permits(request: Request, draft_id: UUID, _: Applicant) -> Response:
    draft, typed = await _draft(request, draft_id), await _typed(request)
    found, away = await needed(request, draft)
    asked = questions(found)
    given = {code: typed[code] for code in asked if typed.get(code) in ("yes", "no")}
    answers = {"permits": given}
    saved = await _save(request, draft, typed.get("version", draft.version), answers)
    if saved is None:
        return page(request, "changed.html", 409, draft=draft)
    if missing := [code for code in asked if code not in given]:
        faults = [(f"#{code}", words.say(words.N_("Answer yes or no: %(question)s"), question=asked[code]))
                  for code in missing]  # fmt: skip
        return _permits(request, saved, found, away, faults, 422)
    return _to(request, saved, "check")


@routes.get("/{lang:language}/apply/{draft_id}/{key}")
async def step(request: Request, draft_id: UUID, key: str, _: Applicant) -> Response:
    if key not in PLAIN_STEPS.split("|"):
        return page(request, "not_found.html", 404)
    draft = await _draft(request, draft_id)
    return _step(request, draft, STEPS[key], forms.typed_in(draft.content, key))


@routes.post("/{lang:language}/apply/{draft_id}/{key}")
async def save_step(request: Request, draft_id: UUID, key: str, _: Applicant) -> Response:
    if key not in PLAIN_STEPS.split("|"):
        return page(request, "not_found.html", 404)
    draft, typed = await _draft(request, draft_id), await _typed(request)
    values = {field.name: typed.get(field.name, "") for field in STEPS[key].fields}
    return await _saved(request, draft, STEPS[key], typed, {key: values}, _after(key))


async def _saved(
    request: Request, draft: Draft, step: forms.Step, typed: Mapping[str, str], changed: Mapping[str, Any],
    after: str, number: int | None = None,
) -> Response:  # fmt: skip
    """Keep what was typed, right or wrong, then go on, stop for now, or say what is to be mended."""
    faults = forms.read(step, typed)[1]
    saved = await _save(request, draft, typed.get("version", draft.version), changed)
    if saved is None:
        return _step(request, draft, step, typed, number=number, status=409, changed_elsewhere=True)
    if typed.get("action") == "later":
        return _to(request, saved)
    if faults:
        return _step(request, saved, step, typed, number=number, errors=said(faults), status=422)
    return _to(request, saved, after)


def _step(
    request: Request, draft: Draft, step: forms.Step, typed: Mapping[str, Any], *, number: int | None = None,
    errors: Any = (), status: int = 200, changed_elsewhere: bool = False,
) -> Response:  # fmt: skip
    return page(
        request, "step.html", status, draft=draft, step=step, typed=typed, errors=errors, investor_number=number,
        number=list(STEPS).index(step.key) + 1, found={href[1:]: text for href, text in errors},
        changed_elsewhere=changed_elsewhere, options=options,
    )  # fmt: skip


def options(field: forms.Field) -> list[tuple[str, str]]:
    """The values of a choice with their words, in the reader's order."""
    if not isinstance(field.options, str):
        return [(value, words.say(text)) for value, text in field.options]
    kind: Any = field.options
    named = [(code, name_of(kind, code)) for code in policy.current()[kind]]
    if kind == "currency":
        named = [(code, f"{code} – {name}") for code, name in named]
    first = {"country": ("CN", "HK", "MO", "TW"), "currency": ("CNY", "USD", "EUR", "HKD")}.get(kind, ())
    return sorted(named, key=lambda one: (first.index(one[0]) if one[0] in first else len(first), one[1]))


def declared(application: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a form that was sent declares, question by question. Activities and investors are lists of their own."""
    content = forms.content_of(application)
    return [
        (words.say(field.label), shown(field, content[key][field.name]))
        for key in ("name", "place", "capital", "people")
        for field in STEPS[key].fields
        if content[key].get(field.name)
    ]


def shown(field: forms.Field, value: Any) -> str:
    """An answer as it is read back to whoever gave it."""
    if field.kind == "yes":
        return words.say(words.N_("Yes")) if value in (True, "yes") else words.say(words.N_("No"))
    if field.kind in ("select", "radios"):
        return dict(options(field)).get(value, str(value))
    if field.kind == "date":
        return words.day(value)
    if field.kind == "amount":
        return words.number(value)
    return f"{value}%" if field.kind == "share" else str(value)


def said(faults: list[Fault]) -> list[tuple[str, str]]:
    return [(f"#{fault.field}", words.say(fault.words)) for fault in faults]
