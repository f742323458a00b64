"""The owner applies for an item that is due; where a person decides, an officer of its department does."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.licensing import domain, repository, tables
from services.licensing.domain import Bars, Catalogue, PermitItem, Requirement
from services.licensing.domain.commitment import UNREPAIRED
from services.licensing.domain.terms import ordinary_term
from services.licensing.published_events import CommitmentGiven, FilingRecorded, PermitGranted, PermitRefused
from services.licensing.use_cases.records import facts_of, recorded

QUEUE = "licensing.permit"

Way = Literal["filing", "commitment", "ordinary"]
Ruling = Literal["grant", "refuse"]


class NoSuchEnterprise(Exception):
    """There is no such enterprise, or it is somebody else's."""


class LeftTheRegister(Exception):
    """The enterprise is deregistered."""


class NotRequired(Exception):
    """Its activities do not call for this item, or there is no such item."""


class NoPermitMayBeDemanded(Exception):
    """The item is cancelled (直接取消审批)."""


class QuestionOpen(Exception):
    """Whether the item is due depends on questions that nobody has answered."""

    def __init__(self, facts: tuple[str, ...]) -> None:
        super().__init__(facts)
        self.facts = facts


class DecidedElsewhere(Exception):
    """The item is decided above the district."""

    def __init__(self, level: str) -> None:
        super().__init__(level)
        self.level = level


class AlreadyThere(Exception):
    """A permit is in force, a filing is recorded, or an application is under review."""


class WayNotOffered(Exception):
    """The item is not handled in this way."""


class CommitmentNotAccepted(Exception):
    """The conditions were not promised in writing."""


class CommitmentModeShut(Exception):
    """The mode is shut to this enterprise; each ground names its rule."""

    def __init__(self, bars: tuple[Bars, ...]) -> None:
        super().__init__(bars)
        self.bars = bars


class NoSuchApplication(Exception):
    """There is no such application, or it is another department's."""


class AlreadyDecided(Exception):
    """The application has its end."""


@dataclass(frozen=True, slots=True)
class ApplyForPermit:
    uscc: str
    item_id: str
    way: Way
    accepted: bool


async def apply_for_permit(
    session: AsyncSession, command: ApplyForPermit, owner: Caller, catalogue: Catalogue, clock: Clock
) -> tables.PermitApplication:
    """Apply for an item: a filing is recorded at once, a commitment is granted at once, the ordinary way waits for an
    officer. Acts on one enterprise take turns, so that one application of two is accepted.

    Raises NoSuchEnterprise, LeftTheRegister, NotRequired, NoPermitMayBeDemanded, QuestionOpen, DecidedElsewhere,
    AlreadyThere, WayNotOffered, CommitmentNotAccepted, CommitmentModeShut.
    """
    enterprise = await repository.enterprise_to_change(session, command.uscc, owner.subject)
    if enterprise is None:
        raise NoSuchEnterprise
    if enterprise.deregistered_on is not None:
        raise LeftTheRegister
    row = _due(enterprise, command.item_id, catalogue, clock).row
    if not row.decided_in_district:
        raise DecidedElsewhere(row.level)
    await _require_new(session, command.uscc, command.item_id)
    application = tables.PermitApplication(
        id=uuid4(), uscc=command.uscc, item_id=row.item_id, part=row.part, way=command.way, status="in_review",
        department=row.department_code, filed_by=owner.subject, filed_on=clock.today(),
        record=recorded(facts_of(enterprise), clock.today(), catalogue, command.item_id),
    )  # fmt: skip
    session.add(application)
    if command.way == "filing":
        _record_filing(session, application, row, clock)
    elif command.way == "commitment":
        await _accept_commitment(session, application, row, command.accepted, catalogue, clock)
    else:
        await _await_decision(session, application, row, catalogue, clock)
    return application


async def decide(
    session: AsyncSession, id: UUID, ruling: Ruling, reason: str, officer: Caller, version: int, clock: Clock
) -> tables.PermitApplication:
    """Grant or refuse, with a reason; the officer is of the department and holds the work item.

    Raises NoSuchApplication, Stale, AlreadyDecided, work.NotYours. Source: Administrative Licensing Law Art 38.
    """
    row = await repository.application_to_decide(session, id, officer.department or "")
    if row is None:
        raise NoSuchApplication
    if row.version != version:
        raise Stale
    if row.status != "in_review":
        raise AlreadyDecided
    await work.claimed_by(session, QUEUE, str(id), officer, clock)
    if ruling == "grant":
        _grant(session, row, _mode(row), clock)
    else:
        row.status = "refused"
        said = PermitRefused(
            application_id=row.id, item_id=row.item_id, department=row.department, refused_on=clock.today()
        )
        outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=str(row.id))
    row.decided = {"outcome": row.status, "by": officer.subject, "reason": reason, "on": clock.today().isoformat()}
    row.version += 1
    await work.close(session, QUEUE, str(id), row.status, clock)
    return row


def _due(enterprise: tables.Enterprise, item_id: str, catalogue: Catalogue, clock: Clock) -> Requirement:
    """The row by which the item is due today, for an application to rest on."""
    found = [
        one for one in domain.requirements(facts_of(enterprise), clock.today(), catalogue) if one.row.item_id == item_id
    ]
    due = [one for one in found if one.due == "yes"]
    if due:
        return due[0]
    if questions := tuple(code for one in found if one.due == "conditional" for code in one.questions):
        raise QuestionOpen(questions)
    if found:
        raise NoPermitMayBeDemanded
    raise NotRequired


async def _require_new(session: AsyncSession, uscc: str, item_id: str) -> None:
    if (
        await repository.permit_in_force(session, uscc, item_id)
        or await repository.open_application(session, uscc, item_id)
        or await repository.filing(session, uscc, item_id)
    ):
        raise AlreadyThere


def _record_filing(session: AsyncSession, application: tables.PermitApplication, row: PermitItem, clock: Clock) -> None:
    """A filing (备案) refuses nothing: with its arrival the matter is complete."""
    if row.status != "filing":
        raise WayNotOffered
    application.status = "recorded"
    application.decided = {"outcome": "recorded", "by": None, "reason": None, "on": clock.today().isoformat()}
    session.add(
        tables.Filing(
            id=application.id,
            uscc=application.uscc,
            item_id=row.item_id,
            department=row.department_code,
            recorded_on=clock.today(),
        )
    )
    said = FilingRecorded(
        filing_id=application.id, item_id=row.item_id, department=row.department_code, recorded_on=clock.today()
    )
    outbox.add(session, said, subject=application.uscc, clock=clock, correlation_id=str(application.id))


async def _accept_commitment(
    session: AsyncSession, application: tables.PermitApplication, row: PermitItem, accepted: bool,
    catalogue: Catalogue, clock: Clock,
) -> None:  # fmt: skip
    """The conditions are promised in writing and the permit is granted at once; facts are checked later."""
    if not row.offers_commitment:
        raise WayNotOffered
    standing = await repository.restriction(session, application.uscc)
    unrepaired = await repository.commitments(session, application.uscc, UNREPAIRED)
    bars = domain.bars_against(
        standing.restrictions if standing else (),
        standing.grounds if standing else (),
        [str(one.id) for one in unrepaired],
        catalogue.bars,
    )
    if bars:
        raise CommitmentModeShut(bars)
    if not accepted:
        raise CommitmentNotAccepted
    check_by = calendar.add_working_days(clock.today(), catalogue.days("commitment_check_days")).on
    permit = _grant(session, application, "notification_commitment", clock)
    application.decided = {"outcome": "granted", "by": None, "reason": None, "on": clock.today().isoformat()}
    await session.flush()
    commitment = tables.Commitment(
        id=uuid4(), permit_id=permit.id, uscc=application.uscc, item_id=row.item_id, given_on=clock.today(),
        check_by=check_by, state="given",
    )  # fmt: skip
    session.add(commitment)
    said = CommitmentGiven(
        commitment_id=commitment.id, permit_id=permit.id, item_id=row.item_id, department=row.department_code,
        given_on=clock.today(), check_by=check_by,
    )  # fmt: skip
    outbox.add(session, said, subject=application.uscc, clock=clock, correlation_id=str(application.id))


async def _await_decision(
    session: AsyncSession, application: tables.PermitApplication, row: PermitItem, catalogue: Catalogue, clock: Clock
) -> None:
    """An officer decides. A term in calendar days counts as the working days that lie within it."""
    if row.status != "permit":
        raise WayNotOffered
    term = ordinary_term(row, catalogue)
    days = term.days
    if term.day_type == "calendar":
        days = calendar.working_days_between(clock.today(), clock.today() + timedelta(days=term.days))
    item = await work.open(
        session, QUEUE, str(application.id), days=max(days, 1), clock=clock, correlation_id=str(application.id),
        department=row.department_code,
    )  # fmt: skip
    application.decide_by, application.days_basis = item.due_on, term.basis


def _grant(session: AsyncSession, application: tables.PermitApplication, mode: Any, clock: Clock) -> tables.Permit:
    permit = tables.Permit(
        id=uuid4(), uscc=application.uscc, item_id=application.item_id, part=application.part,
        department=application.department, mode=mode, granted_on=clock.today(),
    )  # fmt: skip
    session.add(permit)
    application.status, application.permit_id = "granted", permit.id
    said = PermitGranted(
        permit_id=permit.id, item_id=permit.item_id, department=permit.department, mode=mode, granted_on=clock.today()
    )
    outbox.add(session, said, subject=permit.uscc, clock=clock, correlation_id=str(application.id))
    return permit


def _mode(application: tables.PermitApplication) -> Any:
    """The mode of the row that the application rests on."""
    return next(one["mode"] for one in application.record["requirements"] if one["part"] == application.part)
