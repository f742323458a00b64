"""The abnormal operation list and the serious list: proposed by what happened, decided by an officer, ended by cure,
repair, objection or time. Entry and end are acts of their own; the row of a listing stays."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.credit import repository
from services.credit.domain.policy import CreditList, Policy
from services.credit.published_events import SubjectDelisted, SubjectListed
from services.credit.tables import Enterprise, Listing, Proposal
from services.credit.use_cases.records import end_repair_of
from services.credit.use_cases.standing import tell_restrictions

LISTING = "credit.listing"
"""The queue of proposals that wait for an officer."""

LISTING_ENDS = "listing_ends"
End = Literal["ground_cured", "repaired", "term_ended", "objection_upheld"]
Removal = Literal["ground_cured", "objection_upheld"]


class NoSuchEnterprise(Exception):
    """The register does not know the enterprise."""


class NoSuchListing(Exception):
    """There is no such listing."""


class NoSuchProposal(Exception):
    """There is no such proposal."""


class NotListable(Exception):
    """The listing is refused: `field` of the request, `code` of the sentence."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(code)
        self.field, self.code = field, code


class AlreadyListed(Exception):
    """The enterprise is on this list, on this ground."""


class AlreadyEnded(Exception):
    """The listing, or the proposal, has ended before."""


class NoWayOfRemoval(Exception):
    """A serious listing is not ended by curing its ground: by repair, by time, or because an objection is right."""


@dataclass(frozen=True, slots=True)
class ListSubject:
    """The act of putting an enterprise on a list."""

    uscc: str
    list: CreditList
    ground: str
    basis: UUID


async def propose_listing(
    session: AsyncSession, uscc: str, on_list: CreditList, ground: str, because: UUID, law: Policy, clock: Clock, *,
    id: UUID, basis: UUID | None = None,
) -> None:  # fmt: skip
    """Have an officer decide whether the enterprise goes on a list; no second time while that is open or done."""
    await repository.enterprise_to_change(session, uscc)
    if await repository.standing_listing(session, uscc, on_list, ground):
        return
    if await repository.open_proposal(session, uscc, on_list, ground):
        return
    days = law.working_days(f"listing_{on_list}", clock.today())
    correlation = session.info["cause"].correlation_id
    item = await work.open(session, LISTING, str(id), days=days, clock=clock, correlation_id=correlation)
    session.add(
        Proposal(
            id=id, uscc=uscc, list=on_list, ground=ground, because=because, basis=basis, proposed_on=clock.today(),
            decide_by=item.due_on, state="open",
        )
    )  # fmt: skip


async def list_subject(
    session: AsyncSession, act: ListSubject, caller: Caller, law: Policy, clock: Clock, *, id: UUID
) -> Listing:
    """An officer puts an enterprise on a list; a proposal that says the same is done with it.

    Raises NoSuchEnterprise, NotListable, AlreadyListed.
    """
    enterprise = await repository.enterprise_to_change(session, act.uscc)
    if enterprise.registered_on is None:
        raise NoSuchEnterprise
    today = clock.today()
    _require_ground(act, law, today)
    if not await repository.is_basis(session, act.uscc, act.basis):
        raise NotListable("basis", "basis_unknown")
    if await repository.standing_listing(session, act.uscc, act.list, act.ground):
        raise AlreadyListed
    facts = {"ground": act.ground, "basis": str(act.basis), "confidence": law.grounds[act.ground].confidence}
    listing = Listing(
        id=id, uscc=act.uscc, list=act.list, ground=act.ground, basis=act.basis, listed_on=today,
        ends_on=law.ends_on(act.list, today), state="standing",
        decision=_decision("list", caller, law, today, **facts),
    )  # fmt: skip
    session.add(listing)
    if listing.ends_on is not None:
        await due.add(session, LISTING_ENDS, str(id), listing.ends_on)
    if proposal := await repository.open_proposal(session, act.uscc, act.list, act.ground):
        proposal.state, proposal.decision, proposal.version = "listed", listing.decision, proposal.version + 1
        await work.close(session, LISTING, str(proposal.id), "listed", clock)
    said = SubjectListed(listing_id=id, list=act.list, ground=act.ground, listed_on=today)
    outbox.add(session, said, subject=act.uscc, clock=clock)
    await tell_restrictions(session, enterprise, law, clock)
    return listing


async def decline_proposal(
    session: AsyncSession, id: UUID, reason: str, version: int, caller: Caller, law: Policy, clock: Clock
) -> Proposal:
    """The officer who holds the proposal decides against it. Raises NoSuchProposal, AlreadyEnded, Stale, work's own."""
    proposal = await repository.proposal_to_change(session, id)
    if proposal is None:
        raise NoSuchProposal
    if proposal.state != "open":
        raise AlreadyEnded
    await work.claimed_by(session, LISTING, str(id), caller, clock)
    if proposal.version != version:
        raise Stale
    proposal.decision = _decision("decline", caller, law, clock.today(), reason=reason)
    proposal.state, proposal.version = "declined", version + 1
    await work.close(session, LISTING, str(id), "declined", clock)
    return proposal


async def remove_listing(session: AsyncSession, id: UUID, reason: Removal, law: Policy, clock: Clock) -> Listing:
    """An officer ends a listing. Raises NoSuchListing, AlreadyEnded, NoWayOfRemoval."""
    listing, enterprise = await listing_to_end(session, id)
    if listing.state != "standing":
        raise AlreadyEnded
    if reason == "ground_cured" and listing.list != "abnormal_operation":
        raise NoWayOfRemoval
    await end_listing(session, listing, enterprise, reason, law, clock)
    await end_repair_of(session, id, clock)
    return listing


async def end_term(session: AsyncSession, id: UUID, law: Policy, clock: Clock) -> None:
    """The term of a listing is over; one that has ended before is left as it is."""
    listing, enterprise = await listing_to_end(session, id)
    if listing.state == "standing":
        await end_listing(session, listing, enterprise, "term_ended", law, clock)
        await end_repair_of(session, id, clock)


async def listing_to_end(session: AsyncSession, id: UUID) -> tuple[Listing, Enterprise]:
    """A listing as it stands, its enterprise locked. Raises NoSuchListing."""
    listing = await repository.listing(session, id)
    if listing is None:
        raise NoSuchListing
    enterprise = await repository.enterprise_to_change(session, listing.uscc)
    await session.refresh(listing)
    return listing, enterprise


async def end_listing(
    session: AsyncSession, listing: Listing, enterprise: Enterprise, reason: End, law: Policy, clock: Clock
) -> None:
    """A standing listing ends, whatever ends it; its row stays."""
    listing.state, listing.ended_on, listing.ended_because = "ended", clock.today(), reason
    await due.remove(session, LISTING_ENDS, str(listing.id))
    on_list: Any = listing.list
    said = SubjectDelisted(listing_id=listing.id, list=on_list, reason=reason, delisted_on=clock.today())
    outbox.add(session, said, subject=listing.uscc, clock=clock)
    await tell_restrictions(session, enterprise, law, clock)


def _require_ground(act: ListSubject, law: Policy, today: date) -> None:
    ground = law.grounds.get(act.ground)
    if ground is None or ground.list != act.list:
        raise NotListable("ground", "ground_not_of_list")
    if not law.holds(act.ground, today):
        raise NotListable("ground", "ground_not_in_force")


def _decision(outcome: str, caller: Caller, law: Policy, today: date, **facts: str) -> dict[str, Any]:
    """What a decision is kept with: by whom, for which day, under which policy, on what facts."""
    return {
        "outcome": outcome, "by": caller.subject, "judged_for": today.isoformat(), "policy_digest": law.digest,
        "facts": facts,
    }  # fmt: skip
