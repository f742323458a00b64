"""An inspection: assigned with its code, reported by one inspector, confirmed by another, published in time."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, outbox
from libs.common.clock import Clock
from services.supervision import domain, repository, tables
from services.supervision.published_events import InspectionCompleted, ResultCode, ResultPublished
from services.supervision.use_cases.corrections import order_correction
from services.supervision.use_cases.tasks import assign, new_code

PUBLISH = "publish_result"
Reason = Literal["complaint", "clue", "commitment_check"]
BASIS: dict[Reason, str] = {
    "complaint": "order_722_54",
    "clue": "order_722_54",
    "commitment_check": "guobanfa_2020_42",
}
"""The rule that a triggered inspection rests on, where its supervisor names no other."""


class InspectionUnknown(Exception):
    """There is no such inspection, or the caller is none of its inspectors."""


class CodeNeeded(Exception):
    """The inspection code was not shown, or it is another inspection's: without it, no visit."""


class NotReported(Exception):
    """There is no result to confirm yet."""


class SecondInspectorNeeded(Exception):
    """Who reported a result cannot confirm it."""


class ResultStands(Exception):
    """The caller has reported a result already, or the result is confirmed: it can no longer be changed."""


class NotCompleted(Exception):
    """There is no confirmed result to publish."""


class AlreadyPublished(Exception):
    """The result is public."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why an inspection is made without a plan, and what is inspected. No `inspectors`: they are drawn."""

    uscc: str
    reason: Reason
    commitment_id: UUID | None
    item_id: str | None
    inspectors: tuple[str, ...]
    legal_basis: str | None
    code_set: domain.CodeSet


async def trigger_inspection(
    session: AsyncSession, trigger: Trigger, policy: domain.Policy, clock: Clock
) -> tables.Inspection:
    """Assign an inspection on a complaint, a clue, or a commitment whose facts are to be checked.

    Raises FormReturned with the faults, TooFewInspectors where they are drawn and cannot be found.
    Source: inspection code (检查码): a triggered inspection needs its reason. 国办发〔2020〕42号 for commitments.
    """
    obligation = await _obligation(session, trigger)
    item_id = obligation.item_id if obligation else trigger.item_id
    faults = []
    if not await repository.object_known(session, trigger.uscc):
        faults.append(domain.Fault("uscc", "enterprise_not_in_library"))
    if item_id is None or (obligation is None and item_id not in policy.items):
        faults.append(domain.Fault("item_id", "item_unknown"))
    basis = trigger.legal_basis or BASIS[trigger.reason]
    if basis not in policy.legal_bases:
        faults.append(domain.Fault("legal_basis", "legal_basis_unknown", {"known": ", ".join(policy.legal_bases)}))
    if faults or item_id is None:
        raise domain.FormReturned(faults)
    department = obligation.department if obligation else policy.items[item_id].department
    library = [one for one in await repository.inspector_library(session) if one.available]
    team = _team(trigger, library, department)
    id = uuid4()
    inspection = tables.Inspection(
        id=id, code=new_code(), uscc=trigger.uscc, task_id=None, reason=trigger.reason,
        commitment_id=trigger.commitment_id, item_id=item_id, code_set=trigger.code_set, items=[item_id],
        legal_basis=basis, departments=[department], assigned_on=clock.today(),
        correlation_id=obligation.correlation_id if obligation else str(id),
    )  # fmt: skip
    await assign(session, [(inspection, team)], {one.account: one.department for one in library}, clock)
    return inspection


async def report_result(
    session: AsyncSession,
    inspection_id: UUID,
    account: str,
    code: str | None,
    results: Sequence[tuple[domain.CodeSet, str]],
    policy: domain.Policy,
    clock: Clock,
) -> tables.Inspection:
    """Report what was found. Another inspector of the visit confirms it, or reports otherwise for the first to confirm.

    Raises InspectionUnknown, CodeNeeded, ResultStands, FormReturned.
    """
    row = await _mine(session, inspection_id, account, code)
    if row.completed_on is not None or row.reported_by == account:
        raise ResultStands
    finding = domain.found(results, _code_set(row), policy)
    row.results = [{"code_set": code_set, "code": one} for code_set, one in finding.codes]
    row.state, row.reported_by, row.reported_on = "reported", account, clock.today()
    row.version += 1
    return row


async def confirm_result(
    session: AsyncSession, inspection_id: UUID, account: str, code: str | None, policy: domain.Policy, clock: Clock
) -> tables.Inspection:
    """Confirm what another inspector has reported: the inspection is complete, and what follows from it is ordered.

    Raises InspectionUnknown, CodeNeeded, ResultStands, NotReported, SecondInspectorNeeded.
    """
    row = await _mine(session, inspection_id, account, code)
    if row.completed_on is not None:
        raise ResultStands
    if row.results is None:
        raise NotReported
    if row.reported_by == account:
        raise SecondInspectorNeeded
    finding = domain.found([(_set(one), one["code"]) for one in row.results], _code_set(row), policy)
    deadline = calendar.add_working_days(clock.today(), policy.publication_days)
    row.state, row.completed_on = "completed", clock.today()
    row.publish_by, row.publish_by_provisional = deadline.on, deadline.provisional
    row.version += 1
    await due.add(session, PUBLISH, str(row.id), deadline.on)
    if row.commitment_id is not None and finding.checked:
        obligation = await repository.obligation_to_check(session, row.commitment_id, row.uscc)
        if obligation is not None:
            obligation.checked_on = clock.today()
    said = InspectionCompleted(
        inspection_id=row.id, task_id=row.task_id, commitment_id=row.commitment_id, item_id=row.item_id,
        codes=_codes(row), problem=finding.problem, refused=finding.refused, unreachable=finding.unreachable,
        completed_on=clock.today(), departments=tuple(row.departments),
    )  # fmt: skip
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=row.correlation_id)
    if finding.correction != "none":
        met = finding.correction == "met"
        await order_correction(session, row, policy.correction_days, clock, met_on_the_spot=met)
    return row


async def publish_result(session: AsyncSession, inspection_id: UUID, clock: Clock) -> tables.Inspection:
    """Make a result public before its day. Raises InspectionUnknown, NotCompleted, AlreadyPublished."""
    await due.remove(session, PUBLISH, str(inspection_id))  # locked in the order in which the ticker locks them
    row = await repository.inspection_to_change(session, inspection_id)
    if row is None:
        raise InspectionUnknown
    if row.completed_on is None:
        raise NotCompleted
    if row.published_on is not None:
        raise AlreadyPublished
    _publish(session, row, clock)
    return row


async def publish_when_due(session: AsyncSession, inspection_id: UUID, clock: Clock) -> None:
    """On its last day a result publishes itself. Source: results are public within 20 working days."""
    row = await repository.inspection_to_change(session, inspection_id)
    if row is not None and row.completed_on is not None and row.published_on is None:
        _publish(session, row, clock)


def _publish(session: AsyncSession, row: tables.Inspection, clock: Clock) -> None:
    row.state, row.published_on = "published", clock.today()
    row.version += 1
    said = ResultPublished(inspection_id=row.id, codes=_codes(row), published_on=clock.today())
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=row.correlation_id)


async def _obligation(session: AsyncSession, trigger: Trigger) -> tables.Obligation | None:
    """The commitment that is to be checked. Raises FormReturned where there is none, or nothing left to check."""
    if trigger.reason != "commitment_check":
        if trigger.commitment_id is not None:
            raise domain.FormReturned([domain.Fault("commitment_id", "commitment_not_checked_here")])
        return None
    fault = "commitment_unknown"
    if trigger.commitment_id is not None:
        found = await repository.obligation_to_check(session, trigger.commitment_id, trigger.uscc)
        if found is not None and (found.checked_on or found.ended_on):
            fault = "commitment_settled"
        elif found is not None and await repository.is_under_check(session, trigger.commitment_id):
            fault = "commitment_under_check"
        elif found is not None and trigger.item_id not in (None, found.item_id):
            raise domain.FormReturned([domain.Fault("item_id", "item_not_of_commitment")])
        elif found is not None:
            return found
    raise domain.FormReturned([domain.Fault("commitment_id", fault)])


def _team(trigger: Trigger, library: Sequence[tables.Inspector], department: str) -> tuple[str, ...]:
    """The inspectors named, where they may go; those drawn, where none is named."""
    known = {one.account: one for one in library}
    if not trigger.inspectors:
        able = [domain.Inspector(one.account, one.department, frozenset(one.conflicts)) for one in library]
        [visit] = domain.send([trigger.uscc], able, [department], key=secrets.token_bytes(32), joined=True)
        return visit.inspectors
    faults = [
        domain.Fault(f"inspectors.{n}", "inspector_not_available" if account not in known else "inspector_in_conflict")
        for n, account in enumerate(trigger.inspectors)
        if account not in known or trigger.uscc in known[account].conflicts
    ]
    if len(set(trigger.inspectors)) < domain.INSPECTORS_PER_VISIT:
        faults.append(domain.Fault("inspectors", "inspectors_too_few", {"needed": str(domain.INSPECTORS_PER_VISIT)}))
    if not faults and all(known[account].department != department for account in trigger.inspectors):
        faults.append(domain.Fault("inspectors", "inspectors_of_other_departments", {"department": department}))
    if faults:
        raise domain.FormReturned(faults)
    return tuple(dict.fromkeys(trigger.inspectors))


async def _mine(session: AsyncSession, id: UUID, account: str, code: str | None) -> tables.Inspection:
    row = await repository.inspection_to_change(session, id, assigned_to=account)
    if row is None:
        raise InspectionUnknown
    if code is None or not secrets.compare_digest(code.encode(), row.code.encode()):
        raise CodeNeeded
    return row


def _code_set(row: tables.Inspection) -> domain.CodeSet:
    return "joint_inspection" if row.code_set == "joint_inspection" else "publicity_spot_check"


def _set(result: dict[str, str]) -> domain.CodeSet:
    return "joint_inspection" if result["code_set"] == "joint_inspection" else "publicity_spot_check"


def _codes(row: tables.Inspection) -> tuple[ResultCode, ...]:
    return tuple(ResultCode(code_set=_set(one), code=one["code"]) for one in row.results or ())
