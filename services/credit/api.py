"""HTTP: parse -> one use case -> response."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Path, Response

from libs.common.identity import Caller, Role
from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, allowed, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.credit import policy, repository, schemas
from services.credit.domain.policy import Policy
from services.credit.domain.uscc import SHAPE
from services.credit.use_cases import lists, records, repairs
from services.credit.use_cases.lists import ListSubject

api = router()

STAFF: tuple[Role, ...] = (
    "credit_officer", "supervisor", "registrar", "licensing_officer", "regulator", "auditor",
)  # fmt: skip
"""Who may see the credit of any enterprise."""

FIRST_RECORDS = 50


async def _law() -> Policy:
    """Not `policy.current` itself: FastAPI sends plain functions to a thread."""
    return policy.current()


TheLaw = Annotated[Policy, Depends(_law)]
Reader = Annotated[Caller, allowed("applicant", "agent", *STAFF)]
Owner = Annotated[Caller, allowed("applicant", "agent")]
CreditOfficer = Annotated[Caller, allowed("credit_officer")]
OwnerOrOfficer = Annotated[Caller, allowed("applicant", "agent", "credit_officer", "auditor")]
OfficerOrAuditor = Annotated[Caller, allowed("credit_officer", "auditor")]
Exchange = Annotated[Caller, allowed("credit_officer", "operator")]
Uscc = Annotated[str, Path(pattern=SHAPE, examples=["91310106MA0000015B"])]
ListingId = Annotated[UUID, Path(examples=[schemas.LISTING])]
RepairId = Annotated[UUID, Path(examples=[schemas.REPAIR])]
RecordId = Annotated[UUID, Path(examples=[schemas.RECORD])]
ProposalId = Annotated[UUID, Path(examples=[schemas.PROPOSAL])]


def _asks_for(caller: Caller, *staff: Role) -> str | None:
    """The account whose enterprises are shown; None for those whose office it is to see all."""
    return None if caller.has(*staff) else caller.subject


@api.get("/enterprises/{uscc}/credit", tags=["credit"])
async def read_credit(uscc: Uscc, caller: Reader, reading: Reading) -> schemas.CreditView:
    """Records with their provenance, listings, and what the law restricts because of them."""
    row = await repository.own_enterprise(reading, uscc, _asks_for(caller, *STAFF))
    if row is None:
        raise Problem("not-found", 404)
    shown, cursor = await _records(reading, uscc, None, FIRST_RECORDS)
    listings = [schemas.ListingView.model_validate(dict(one)) for one in await repository.listings(reading, uscc)]
    return schemas.CreditView(**dict(row), listings=listings, records=shown, records_next=cursor)


@api.get("/enterprises/{uscc}/records", tags=["credit"])
async def read_records(
    uscc: Uscc, caller: Reader, reading: Reading, cursor: Cursor = None, limit: Limit = FIRST_RECORDS
) -> schemas.RecordsPage:
    """All records that count or have counted, the last received first."""
    if await repository.own_enterprise(reading, uscc, _asks_for(caller, *STAFF)) is None:
        raise Problem("not-found", 404)
    shown, following = await _records(reading, uscc, after(cursor, datetime.fromisoformat, UUID), limit)
    return schemas.RecordsPage(items=shown, next=following)


async def _records(
    reading: Reading, uscc: str, behind: tuple[Any, ...] | None, limit: int
) -> tuple[list[schemas.RecordView], str | None]:
    rows = await repository.records(reading, uscc, behind, limit)
    shown, cursor = page(rows, limit, lambda row: (row["received_at"].isoformat(), row["id"]))
    return [schemas.RecordView.model_validate(dict(row)) for row in shown], cursor


@api.post("/enterprises/{uscc}/listings", status_code=201, tags=["lists"])
async def list_subject(
    uscc: Uscc, body: schemas.ListForm, caller: CreditOfficer, session: InTransaction, law: TheLaw, clock: TheClock
) -> schemas.ListingView:
    """Put an enterprise on a list, on a ground of that list that is in force. A proposal that says the same is done."""
    act = ListSubject(uscc, body.list, body.ground, body.basis)
    listing = await lists.list_subject(session, act, caller, law, clock, id=uuid4())
    return schemas.ListingView.model_validate(listing, from_attributes=True)


@api.post("/listings/{listing_id}/removal", tags=["lists"])
async def remove_listing(
    listing_id: ListingId, body: schemas.RemovalForm, _: CreditOfficer, session: InTransaction, law: TheLaw,
    clock: TheClock,
) -> schemas.ListingView:  # fmt: skip
    """End a listing. Its history stays."""
    listing = await lists.remove_listing(session, listing_id, body.reason, law, clock)
    return schemas.ListingView.model_validate(listing, from_attributes=True)


@api.get("/listing-proposals/{proposal_id}", tags=["lists"])
async def read_proposal(
    proposal_id: ProposalId, _: OfficerOrAuditor, reading: Reading, response: Response
) -> schemas.ProposalView:
    """What speaks for a listing: the subject of a work item of the queue `credit.listing`."""
    row = await repository.proposal(reading, proposal_id)
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return schemas.ProposalView.model_validate(dict(row))


@api.post("/listing-proposals/{proposal_id}/refusal", tags=["lists"])
async def decline_proposal(
    proposal_id: ProposalId, body: schemas.RefusalForm, if_match: IfMatch, caller: CreditOfficer,
    session: InTransaction, law: TheLaw, clock: TheClock, response: Response,
) -> schemas.ProposalView:  # fmt: skip
    """Decide against a proposal; the work item of the queue `credit.listing` must be held."""
    proposal = await lists.decline_proposal(session, proposal_id, body.reason, if_match, caller, law, clock)
    tag(response, proposal.version)
    return schemas.ProposalView.model_validate(proposal, from_attributes=True)


@api.post("/repairs", status_code=201, tags=["repair"])
async def apply_for_repair(
    body: schemas.RepairForm, caller: Owner, session: InTransaction, law: TheLaw, clock: TheClock, response: Response
) -> schemas.RepairView:
    """Apply for repair (信用修复) of an own record or listing. Too early: 409 with the first day and its source."""
    repair = await repairs.apply_for_repair(session, body.target, caller, law, clock, id=uuid4())
    response.headers["location"] = f"/v1/repairs/{repair.id}"
    tag(response, repair.version)
    return schemas.RepairView.model_validate(repair, from_attributes=True)


@api.get("/repairs/{repair_id}", tags=["repair"])
async def read_repair(
    repair_id: RepairId, caller: OwnerOrOfficer, reading: Reading, response: Response
) -> schemas.RepairView:
    """An application for repair, the facts it is judged on, and its decision."""
    row = await repository.own_repair(reading, repair_id, _asks_for(caller, "credit_officer", "auditor"))
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return schemas.RepairView.model_validate(dict(row))


@api.post("/repairs/{repair_id}/decision", tags=["repair"])
async def decide_repair(
    repair_id: RepairId, body: schemas.RepairDecisionForm, if_match: IfMatch, caller: CreditOfficer,
    session: InTransaction, law: TheLaw, clock: TheClock, response: Response,
) -> schemas.RepairView:  # fmt: skip
    """Grant or refuse; the work item of the queue `credit.repair` must be held. What is repaired counts no more."""
    repair = await repairs.decide_repair(
        session, repair_id, granted=body.granted, reason=body.reason, version=if_match, caller=caller, law=law,
        clock=clock,
    )  # fmt: skip
    tag(response, repair.version)
    return schemas.RepairView.model_validate(repair, from_attributes=True)


@api.post("/records/{record_id}/erasure", tags=["credit"])
async def erase_record(
    record_id: RecordId, body: schemas.ErasureForm, _: CreditOfficer, session: InTransaction, law: TheLaw,
    clock: TheClock,
) -> schemas.Erased:  # fmt: skip
    """Withdraw a record as if it had never been."""
    await records.erase_record(session, record_id, body.reason, law, clock)
    return schemas.Erased(id=record_id, erased_on=clock.today())


@api.get("/exchange", tags=["exchange"])
async def read_exchange(
    _: Exchange, reading: Reading, cursor: Cursor = None, limit: Limit = FIRST_RECORDS
) -> schemas.ExchangeView:
    """The exchange with the city: counts by outcome, and the records answered last."""
    rows = await repository.last_received(reading, after(cursor, datetime.fromisoformat, str), limit)
    shown, following = page(rows, limit, lambda row: (row["received_at"].isoformat(), row["identity"]))
    return schemas.ExchangeView(
        counts=await repository.received_counts(reading),
        items=[schemas.ReceivedView.model_validate(dict(row)) for row in shown],
        next=following,
    )
