"""Applications, as officers decide on them."""

from dataclasses import asdict

from fastapi import Response

from libs.common import work
from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, router, tag
from libs.common.web.work import ItemView
from services.registration import forms, repository, tables, use_cases, views
from services.registration.api.arguments import ApplicationId, Reader, Registrar, ThePolicy

api = router()


@api.post("/applications/{application_id}/corrections", tags=["review"])
async def request_corrections(
    application_id: ApplicationId, body: forms.CorrectionsForm, caller: Registrar, session: InTransaction,
    law: ThePolicy, clock: TheClock, version: IfMatch, response: Response,
) -> views.StandingView:  # fmt: skip
    """Send the form back, field by field; the officer holds the item of queue registration.review. The applicant has
    until `correct_by`; after that the application lapses."""
    row = await use_cases.request_corrections(session, application_id, body.asked(), caller, version, law, clock)
    return _standing(row, response)


@api.post("/applications/{application_id}/decision", tags=["review"])
async def decide_application(
    application_id: ApplicationId, body: forms.RulingForm, caller: Registrar, session: InTransaction,
    law: ThePolicy, clock: TheClock, version: IfMatch, response: Response,
) -> views.StandingView:  # fmt: skip
    """Register or refuse, with a reason; the officer holds the item of queue registration.review. What the law of the
    day refuses cannot be registered. Above an amount that is set, a registration waits for a second officer."""
    row = await use_cases.decide_application(
        session, application_id, body.outcome, body.reason, caller, version, law, clock
    )
    return _standing(row, response)


@api.post("/applications/{application_id}/countersignature", tags=["review"])
async def countersign_application(
    application_id: ApplicationId, body: forms.CountersignatureForm, caller: Registrar, session: InTransaction,
    law: ThePolicy, clock: TheClock, version: IfMatch, response: Response,
) -> views.StandingView:  # fmt: skip
    """Confirm a registration that another officer has proposed, or give it back to him; the second officer holds the
    item of queue registration.countersignature. Above an amount that is the district's own setting, one does not do."""
    row = await use_cases.countersign_application(
        session, application_id, body.outcome, body.reason, caller, version, law, clock
    )
    return _standing(row, response)


@api.post("/applications/{application_id}/extension", tags=["review"])
async def extend_review(
    application_id: ApplicationId, body: forms.ExtensionForm, caller: Registrar, session: InTransaction,
    law: ThePolicy, clock: TheClock, version: IfMatch,
) -> ItemView:  # fmt: skip
    """Take three working days more, once and in time; the officer holds the item."""
    item: work.Item = await use_cases.extend_review(session, application_id, body.reason, caller, version, law, clock)
    return ItemView.model_validate(item)


@api.get("/applications/{application_id}/replay", tags=["review"])
async def replay_decisions(
    application_id: ApplicationId, _caller: Reader, reading: Reading, law: ThePolicy
) -> views.ReplayView:
    """Judge the recorded facts again, for the recorded days. Every answer must agree with its record; where another
    policy is loaded than decided then, it says so."""
    found = await repository.records(reading, application_id)
    if found is None:
        raise Problem("not-found", 404)
    row, earlier = found
    kept = [(one["decision"], one["round"], "screening") for one in earlier]
    kept.append((row["decision"], row["round"], "screening"))
    if row["decided"] and "record" in row["decided"]:
        kept.append((row["decided"]["record"], row["round"], "officer"))
    replayed = [use_cases.replay(record, round, by, law) for record, round, by in kept]
    return views.ReplayView(
        agrees=all(one.agrees for one in replayed),
        policy_digest=law.digest,
        same_policy=all(one.same_policy for one in replayed),
        judgements=[views.ReplayedView.model_validate(asdict(one)) for one in replayed],
    )


def _standing(row: tables.Application, response: Response) -> views.StandingView:
    tag(response, row.version)
    return views.StandingView.model_validate(row.model_dump())
