"""What is needed: for activities that somebody thinks of, and for an enterprise."""

import dataclasses
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query

from libs.common.problems import Fault, Problem
from libs.common.web import Anyone, Reading, TheClock, TheLanguage, router
from libs.common.web.cursors import Cursor, Limit, after, page
from services.licensing import domain, repository, use_cases, views
from services.licensing.api.arguments import Reader, TheCatalogue, Uscc, owner_for
from services.licensing.domain import Capital, Catalogue, Facts

api = router()

Activity = Annotated[str, Query(pattern="^[0-9]{4}$")]
Activities = Annotated[
    list[Activity], Query(min_length=1, max_length=50, examples=[["6210"]], description="Classes of GB/T 4754-2017.")
]
FactCode = Annotated[str, Query(pattern="^[a-z0-9_]{1,60}$")]
Affirmed = Annotated[list[FactCode] | None, Query(max_length=50, examples=[["sells_liquor"]])]
Denied = Annotated[list[FactCode] | None, Query(max_length=50, examples=[["prepackaged_only"]])]
OfCapital = Annotated[Capital | None, Query(examples=["foreign"], description="Left out: not known.")]
DETERMINED, DECIDED = "determination", "application"


@api.get("/permit-requirements", tags=["requirements"])
async def preview_requirements(
    _: Anyone, catalogue: TheCatalogue, clock: TheClock, language: TheLanguage, activity: Activities,
    fact: Affirmed = None, denied: Denied = None, capital: OfCapital = None,
) -> views.RequirementsView:  # fmt: skip
    """Which permits and filings these activities would need today. `fact` are facts that hold, `denied` such that do
    not; what depends on another answer comes back as conditional, with the question to ask."""
    answers = dict.fromkeys(denied or (), False) | dict.fromkeys(fact or (), True)
    if faults := _faults(answers, fact or [], denied or [], catalogue):
        raise Problem("malformed", 422, faults)
    facts = Facts(tuple(dict.fromkeys(activity)), answers, capital)
    record = use_cases.recorded(facts, clock.today(), catalogue)
    return views.RequirementsView.of(
        record, domain.uncovered(facts.activities, catalogue), _coverage(catalogue), language
    )


@api.get("/enterprises/{uscc}/requirements", tags=["requirements"])
async def read_requirements(
    uscc: Uscc, caller: Reader, reading: Reading, catalogue: TheCatalogue, language: TheLanguage
) -> views.RequirementsView:
    """What an enterprise needs, as it was determined last."""
    row = await repository.latest_record(reading, uscc, owner_for(caller))
    if row is None:
        raise Problem("not-found", 404)
    record = row["record"]
    uncovered = domain.uncovered(tuple(record["facts"]["activities"]), catalogue)
    return views.RequirementsView.of(record, uncovered, _coverage(catalogue), language)


@api.get("/enterprises/{uscc}/requirements/replay", tags=["requirements"])
async def replay_requirements(
    uscc: Uscc, caller: Reader, reading: Reading, catalogue: TheCatalogue
) -> views.ReplayView:
    """Judge every determination and permit decision again, from its own facts, for its own day: all must agree."""
    determined, decided = await repository.all_records(reading, uscc, owner_for(caller))
    if not determined:
        raise Problem("not-found", 404)
    records = [(DETERMINED, str(row["number"]), row["record"]) for row in determined]
    records += [(DECIDED, str(row["id"]), row["record"]) for row in decided]
    replayed = [use_cases.replay(of, id, record, catalogue) for of, id, record in records]
    return views.ReplayView(
        agrees=all(one.agrees for one in replayed),
        decisions=[views.ReplayedView.model_validate(dataclasses.asdict(one)) for one in replayed],
    )


@api.get("/enterprises/{uscc}/permits", tags=["permits"])
async def list_permits(
    uscc: Uscc, caller: Reader, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.Permits:
    """The permits of an enterprise, those that were revoked too; the latest first."""
    behind = after(cursor, date.fromisoformat, UUID)
    found = await repository.permits(reading, uscc, owner_for(caller), behind, limit + 1)
    if not found and not await repository.is_there(reading, uscc, owner_for(caller)):
        raise Problem("not-found", 404)
    rows, following = page(found, limit, lambda row: (row["granted_on"], row["id"]))
    return views.Permits(items=[views.PermitView.model_validate(dict(row)) for row in rows], next=following)


@api.get("/enterprises/{uscc}/filings", tags=["permits"])
async def list_filings(
    uscc: Uscc, caller: Reader, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.Filings:
    """The filings of an enterprise, the latest first."""
    behind = after(cursor, date.fromisoformat, UUID)
    found = await repository.filings(reading, uscc, owner_for(caller), behind, limit + 1)
    if not found and not await repository.is_there(reading, uscc, owner_for(caller)):
        raise Problem("not-found", 404)
    rows, following = page(found, limit, lambda row: (row["recorded_on"], row["id"]))
    return views.Filings(items=[views.FilingView.model_validate(dict(row)) for row in rows], next=following)


def _faults(answers: dict[str, bool], fact: list[str], denied: list[str], catalogue: Catalogue) -> list[Fault]:
    asked = {code for code, row in catalogue.conditions.items() if row.answered_by == "applicant"}
    faults = [Fault("fact", "fact_unknown") for code in answers if code not in asked][:1]
    if set(fact) & set(denied) or any(domain.contradictions(answers, catalogue)):
        faults.append(Fault("fact", "facts_contradict"))
    return faults


def _coverage(catalogue: Catalogue) -> views.Coverage:
    """Our items, of those that the national list of 2021 counts (523, verified)."""
    counted = max(row.total or 0 for row in catalogue.rounds)
    return views.Coverage(items=len(catalogue.item_ids), of=counted)
