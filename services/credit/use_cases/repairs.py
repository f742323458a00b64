"""Credit repair (信用修复): the enterprise applies once the least time is over, an officer decides in seven working
days, and what is repaired counts no more."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.credit import repository
from services.credit.domain.policy import Policy, Term
from services.credit.published_events import RepairApplied, RepairDecided
from services.credit.tables import Listing, Record, Repair
from services.credit.use_cases.lists import end_listing, listing_to_end
from services.credit.use_cases.records import PUBLICATION_ENDS, REPAIR
from services.credit.use_cases.standing import tell_restrictions


class NoSuchTarget(Exception):
    """There is no such record or listing, or it is not the caller's."""


class NoSuchRepair(Exception):
    """There is no such application."""


class NothingToRepair(Exception):
    """The record or the listing stands no more."""


class AlreadyApplied(Exception):
    """An application for this record or listing is being decided."""


class AlreadyDecided(Exception):
    """The application has its decision."""


class TooEarly(Exception):
    """The least time is not over: `earliest` is the first day to apply on, by `term`."""

    def __init__(self, earliest: date, term: Term) -> None:
        super().__init__(earliest)
        self.earliest, self.term = earliest, term


async def apply_for_repair(
    session: AsyncSession, target: UUID, caller: Caller, law: Policy, clock: Clock, *, id: UUID
) -> Repair:
    """The enterprise's own account asks for repair. Raises NoSuchTarget, NothingToRepair, AlreadyApplied, TooEarly."""
    owned = await repository.own_target(session, target, caller.subject)
    if owned is None:
        raise NoSuchTarget
    uscc, target_kind = owned
    enterprise = await repository.enterprise_to_change(session, uscc)
    stands = await _target(session, target, target_kind)
    if stands.state != "standing" or getattr(stands, "public_ended_on", None) is not None:
        raise NothingToRepair
    if await repository.repair_in_review(session, target):
        raise AlreadyApplied
    concerns, since = (
        (stands.list, stands.listed_on) if isinstance(stands, Listing) else (stands.kind, stands.effective_on)
    )
    earliest, term = law.repair_from(concerns, since)
    today = clock.today()
    if today < earliest:
        raise TooEarly(earliest, term)
    days = law.working_days("repair", today)
    item = await work.open(session, REPAIR, str(id), days=days, clock=clock, correlation_id=str(id))
    grounds = sorted(await repository.standing_grounds(session, uscc))
    facts = {
        "concerns": concerns, "since": since.isoformat(), "earliest": earliest.isoformat(), "term_source": term.source,
        "term_confidence": term.confidence, "standing_grounds": grounds,
        "policy_digest": law.digest,
    }  # fmt: skip
    repair = Repair(
        id=id, uscc=enterprise.uscc, target=target, target_kind=target_kind,
        record_kind=stands.kind if isinstance(stands, Record) else None, applied_on=today, decide_by=item.due_on,
        provisional=item.provisional, state="in_review", facts=facts,
    )  # fmt: skip
    session.add(repair)
    said = RepairApplied(repair_id=id, target=target, applied_on=today, decide_by=item.due_on)
    outbox.add(session, said, subject=uscc, clock=clock, correlation_id=str(id))
    return repair


async def decide_repair(
    session: AsyncSession, id: UUID, *, granted: bool, reason: str, version: int, caller: Caller, law: Policy,
    clock: Clock,
) -> Repair:  # fmt: skip
    """The officer who holds the application decides. Raises NoSuchRepair, AlreadyDecided, Stale, and work's own."""
    repair = await repository.repair_to_change(session, id)
    if repair is None:
        raise NoSuchRepair
    if repair.state != "in_review":
        raise AlreadyDecided
    await work.claimed_by(session, REPAIR, str(id), caller, clock)
    if repair.version != version:
        raise Stale
    today = clock.today()
    repair.state, repair.version = "granted" if granted else "refused", version + 1
    repair.decision = {
        "outcome": repair.state, "by": caller.subject, "reason": reason, "judged_for": today.isoformat(),
        "policy_digest": law.digest, "facts": repair.facts,
    }  # fmt: skip
    await work.close(session, REPAIR, str(id), repair.state, clock)
    kinds: Any = {"target_kind": repair.target_kind, "record_kind": repair.record_kind}
    said = RepairDecided(repair_id=id, target=repair.target, granted=granted, decided_on=today, **kinds)
    outbox.add(session, said, subject=repair.uscc, clock=clock, correlation_id=str(id))
    if granted:
        await _repair(session, repair, law, clock)
    return repair


async def _repair(session: AsyncSession, repair: Repair, law: Policy, clock: Clock) -> None:
    if repair.target_kind == "listing":
        listing, enterprise = await listing_to_end(session, repair.target)
        await end_listing(session, listing, enterprise, "repaired", law, clock)
        return
    enterprise = await repository.enterprise_to_change(session, repair.uscc)
    record = await repository.record(session, repair.target)
    assert record is not None, "records are never deleted"
    record.state, record.closed_on, record.closed_because = "repaired", clock.today(), "repaired"
    await due.remove(session, PUBLICATION_ENDS, str(record.id))
    await tell_restrictions(session, enterprise, law, clock)


async def _target(session: AsyncSession, id: UUID, kind: str) -> Record | Listing:
    found = await (repository.record(session, id) if kind == "record" else repository.listing(session, id))
    assert found is not None, "it was found in this transaction, and nothing is deleted"
    await session.refresh(found)
    return found
