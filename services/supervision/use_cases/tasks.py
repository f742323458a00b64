"""A task: filed with a commitment to a seed nobody has seen, drawn once, repeated by whoever doubts it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, signature
from libs.common.clock import Clock
from services.supervision import domain, repository, tables
from services.supervision.published_events import DrawMade, InspectionAssigned

SEED_BYTES = 32


class TaskUnknown(Exception):
    """There is no task, or no draw, of this id."""


class TooEarly(Exception):
    """The day that the plan names has not come yet."""

    def __init__(self, on: date) -> None:
        super().__init__(on)
        self.on = on


class NobodyToInspect(Exception):
    """No enterprise in the object library has an activity that the task is about."""


class NotDrawn(Exception):
    """The draw has not been made yet."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What repeating a draw has shown: the commitment opens, the record comes out again, the visits are those drawn."""

    commitment_opens: bool
    record_equal: bool
    visits_equal: bool

    @property
    def equal(self) -> bool:
        return self.commitment_opens and self.record_equal and self.visits_equal


async def file_task(
    session: AsyncSession, plan: domain.Plan, policy_digest: str, filed_by: str, clock: Clock
) -> tuple[tables.Task, tables.Draw]:
    """File the plan. The seed is made now and shown to nobody; what is shown is the commitment to it."""
    task = tables.Task(
        id=uuid4(),
        code_set=plan.code_set,
        items=list(plan.items),
        legal_basis=plan.legal_basis,
        departments=list(plan.departments),
        kind=plan.kind,
        ratios={letter: f"{ratio.normalize():f}" for letter, ratio in plan.ratios.items()},
        scheme=plan.scheme,
        activities=list(plan.activities),
        on_date=plan.on,
        filed_on=clock.today(),
        filed_by=filed_by,
        policy_digest=policy_digest,
    )
    seed = secrets.token_bytes(SEED_BYTES)
    draw = tables.Draw(id=uuid4(), task_id=task.id, seed=seed, commitment=domain.commitment(seed, task.id))
    session.add(task)
    await session.flush()
    session.add(draw)
    return task, draw


async def draw_task(session: AsyncSession, task_id: UUID, keys: signature.Keyring, clock: Clock) -> tables.Draw:
    """Draw objects and inspectors, sign both records, assign the inspections. Of two who draw at once, both get the
    one draw that was made.

    Raises TaskUnknown, TooEarly, NobodyToInspect, TooFewInspectors.
    """
    row = await repository.draw_to_make(session, task_id)
    if row is None:
        raise TaskUnknown
    task = await session.get_one(tables.Task, task_id)
    if row.drawn_on is not None:
        return row
    if clock.today() < task.on_date:
        raise TooEarly(task.on_date)
    found = await repository.library(session, task.activities)
    excluded = {one["uscc"]: (one["risk_class"], "deregistered") for one in found if one["deregistered_on"]}
    objects = {one["uscc"]: one["risk_class"] for one in found if not one["deregistered_on"]}
    if not objects:
        raise NobodyToInspect
    inspectors = [
        domain.listed(one.account, one.department, one.conflicts, one.available, task.departments)
        for one in await repository.inspector_library(session)
    ]
    inputs = _inputs(task, row, clock.today(), objects, {uscc: why for uscc, (_, why) in excluded.items()}, inspectors)
    drawn, record = domain.made(inputs)
    public = domain.public(inputs, drawn, record)
    await repository.keep_objects(session, row.id, objects, excluded)
    row.drawn_on = clock.today()
    row.inspectors = record["inspectors"]
    row.record, row.record_digest = record, domain.record_digest(record)
    row.public_record = public
    row.record_jws = signature.sign(record, kind="draw-record", keys=keys)
    row.public_jws = signature.sign(public, kind="draw", keys=keys)
    said = DrawMade(
        draw_id=row.id, drawn_on=row.drawn_on, objects=len(drawn.visits), commitment=row.commitment,
        record_digest=row.record_digest,
    )  # fmt: skip
    outbox.add(session, said, subject=str(task_id), clock=clock, correlation_id=str(task_id))
    departments = {one.account: one.department for one in inspectors}
    visits = [(_planned_inspection(task, visit.uscc, clock), visit.inspectors) for visit in drawn.visits]
    await assign(session, visits, departments, clock)
    return row


async def verify_draw(session: AsyncSession, draw_id: UUID) -> Verified:
    """Repeat a draw from what was kept of its inputs, and compare. Raises TaskUnknown, NotDrawn."""
    row = await session.get(tables.Draw, draw_id)
    if row is None:
        raise TaskUnknown
    if row.drawn_on is None:
        raise NotDrawn
    task = await session.get_one(tables.Task, row.task_id)
    kept = await repository.kept_objects(session, draw_id)
    inspectors = [
        domain.Listed(one["account"], one["department"], tuple(one["conflicts"]), one["excluded"])
        for one in row.inspectors or ()
    ]
    inputs = _inputs(
        task, row, row.drawn_on,
        {one["uscc"]: one["risk_class"] for one in kept if one["excluded"] is None},
        {one["uscc"]: one["excluded"] for one in kept if one["excluded"] is not None},
        inspectors,
    )  # fmt: skip
    try:
        drawn, record = domain.made(inputs)
    except domain.TooFewInspectors:
        return Verified(False, False, False)
    visits = [(visit.uscc, tuple(sorted(visit.inspectors))) for visit in drawn.visits]
    return Verified(
        commitment_opens=domain.commitment(row.seed, task.id) == row.commitment,
        record_equal=record == row.record
        and domain.record_digest(record) == row.record_digest
        and domain.public(inputs, drawn, record) == row.public_record,
        visits_equal=visits == await repository.sent(session, task.id),
    )


async def assign(
    session: AsyncSession,
    visits: Sequence[tuple[tables.Inspection, Sequence[str]]],
    departments: Mapping[str, str],
    clock: Clock,
) -> None:
    """Assign inspections to their inspectors, each with its code. Source: inspection code (检查码), Shanghai 2025."""
    session.add_all(inspection for inspection, _ in visits)
    await session.flush()
    session.add_all(
        tables.Assignment(inspection_id=inspection.id, account=account, department=departments[account])
        for inspection, accounts in visits
        for account in accounts
    )
    for inspection, _ in visits:
        said = InspectionAssigned(
            inspection_id=inspection.id, task_id=inspection.task_id, commitment_id=inspection.commitment_id,
            code=inspection.code, assigned_on=inspection.assigned_on,
        )  # fmt: skip
        outbox.add(session, said, subject=inspection.uscc, clock=clock, correlation_id=inspection.correlation_id)


def new_code() -> str:
    """An inspection code: 128 bits that nobody can guess."""
    return secrets.token_hex(16)


def _planned_inspection(task: tables.Task, uscc: str, clock: Clock) -> tables.Inspection:
    return tables.Inspection(
        id=uuid4(), code=new_code(), uscc=uscc, task_id=task.id, reason="planned", code_set=task.code_set,
        items=task.items, legal_basis=task.legal_basis, departments=task.departments, assigned_on=clock.today(),
        correlation_id=str(task.id),
    )  # fmt: skip


def _inputs(
    task: tables.Task,
    row: tables.Draw,
    drawn_on: date,
    objects: dict[str, domain.RiskClass],
    excluded: dict[str, str],
    inspectors: Sequence[domain.Listed],
) -> domain.Inputs:
    plan = domain.Plan(
        code_set=task.code_set,  # type: ignore[arg-type]
        items=tuple(task.items),
        legal_basis=task.legal_basis,
        departments=tuple(task.departments),
        kind=task.kind,  # type: ignore[arg-type]
        ratios={letter: Decimal(task.ratios[letter]) for letter in domain.CLASSES},
        scheme=task.scheme,
        activities=tuple(task.activities),
        on=task.on_date,
    )
    return domain.Inputs(
        task_id=task.id, draw_id=row.id, plan=plan, filed_on=task.filed_on, drawn_on=drawn_on,
        policy_digest=task.policy_digest, seed=row.seed, objects=objects, excluded=excluded, inspectors=inspectors,
    )  # fmt: skip
