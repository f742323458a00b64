"""The supervision bureau on a real database: events fill its libraries, people act, time passes day by day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, signature
from libs.common.clock import BusinessClock
from libs.common.database import Database, open_database, provision
from libs.common.envelope import Event, Incoming, source_of
from libs.common.migration import migrate
from libs.common.settings import Settings, load
from libs.common.transaction import once
from services.supervision import consumed_events, domain, policy, reactions, tables, use_cases
from services.supervision.schemas.forms import TaskForm
from services.supervision.service import service
from services.supervision.use_cases import Trigger
from tests.spine import Spine

T = TypeVar("T")
START = date(2026, 1, 5)
PROBLEM = [("joint_inspection", "09")]
CLEAN = [("joint_inspection", "01")]


@dataclass(slots=True)
class Bureau:
    """`clock` is frozen until time passes. Every act is one transaction, as it is over HTTP."""

    database: Database
    spine: Spine
    clock: BusinessClock = field(default_factory=lambda: BusinessClock(START))
    keys: signature.Keyring = field(default_factory=lambda: signature.Keyring((signature.generate(),)))
    serial: int = 0

    @staticmethod
    async def open(spine: Spine) -> Bureau:
        with spine.as_environment():
            settings = load(Settings, "supervision")
        await provision(settings)
        database = open_database(settings)
        await migrate(database)
        return Bureau(database, spine)

    async def act(self, what: Callable[[AsyncSession], Awaitable[T]]) -> T:
        return await once(self.database, what)

    async def hears(self, source: str, subject: str, event: Event) -> None:
        """An event of another service arrives."""
        incoming = Incoming(
            f"{source}.events", 0, 0, source_of(source), subject, 1, uuid4(), event.type, "", "case-1", None,
            msgspec.json.encode(event),
        )  # fmt: skip
        await self.act(lambda session: reactions.table.apply(session, [incoming], self.clock))

    async def registered(self, risk_class: str | None = None, *, owner: str = "applicant-1", **facts: Any) -> str:
        """A new enterprise in the object library; returns its USCC."""
        self.serial += 1
        uscc = f"91310106MA{self.serial:08d}"
        given = {"registered_on": START, "activities": ("6210",), "area": "310106012", "filed_by": owner, **facts}
        await self.hears("registration", uscc, consumed_events.EnterpriseRegistered(**given))
        if risk_class is not None:
            await self.hears("risk", uscc, consumed_events.ClassChanged(risk_class=risk_class))  # type: ignore[arg-type]
        return uscc

    async def commits(self, uscc: str, item: str = "P033", department: str = "fire_and_rescue") -> UUID:
        """A permit by commitment; returns the commitment's id."""
        permit, commitment = uuid4(), uuid4()
        granted = consumed_events.PermitGranted(
            permit_id=permit, item_id=item, department=department, granted_on=self.clock.today()
        )
        given = consumed_events.CommitmentGiven(
            commitment_id=commitment, permit_id=permit, item_id=item, department=department,
            given_on=self.clock.today(), check_by=date(2026, 3, 6),
        )  # fmt: skip
        await self.hears("licensing", uscc, granted)
        await self.hears("licensing", uscc, given)
        return commitment

    async def employs(self, *accounts: str, department: str = "market_regulation", conflicts: Any = ()) -> None:
        for account in accounts:
            entry = tables.Inspector(
                account=account, department=department, conflicts=sorted(conflicts), available=True
            )
            with suppress(use_cases.InspectorKnown):
                await self.act(lambda session, entry=entry: use_cases.enter_inspector(session, entry))  # type: ignore[misc]

    async def files(self, **fields: Any) -> tuple[UUID, UUID]:
        """A task of key items, everybody drawn unless said otherwise; returns its id and that of its draw."""
        form = {
            "code_set": "joint_inspection", "items": ["P001"], "on": self.clock.today().isoformat(),
            "ratios": dict.fromkeys("ABCD", 100), **fields,
        }  # fmt: skip
        plan = TaskForm.model_validate(form).plan(self.clock.today(), policy.current())
        task, draw = await self.act(
            lambda session: use_cases.file_task(session, plan, policy.current().digest, "supervisor-1", self.clock)
        )
        return task.id, draw.id

    async def draws(self, task_id: UUID) -> tables.Draw:
        return await self.act(lambda session: use_cases.draw_task(session, task_id, self.keys, self.clock))

    async def verifies(self, draw_id: UUID) -> use_cases.Verified:
        return await self.act(lambda session: use_cases.verify_draw(session, draw_id))

    async def sends(self, uscc: str, **fields: Any) -> tables.Inspection:
        """An inspection without a plan, on a complaint about P001 unless said otherwise."""
        given: dict[str, Any] = {
            "uscc": uscc, "reason": "complaint", "commitment_id": None, "item_id": "P001", "inspectors": (),
            "legal_basis": None, "code_set": "joint_inspection", **fields,
        }  # fmt: skip
        return await self.act(
            lambda session: use_cases.trigger_inspection(session, Trigger(**given), policy.current(), self.clock)
        )

    async def reports(self, visit: tables.Inspection, who: str, results: Any, code: str | None = "") -> None:
        shown = visit.code if code == "" else code
        await self.act(
            lambda session: use_cases.report_result(
                session, visit.id, who, shown, results, policy.current(), self.clock
            )
        )

    async def confirms(self, visit: tables.Inspection, who: str, code: str | None = "") -> tables.Inspection:
        shown = visit.code if code == "" else code
        return await self.act(
            lambda session: use_cases.confirm_result(session, visit.id, who, shown, policy.current(), self.clock)
        )

    async def completes(self, visit: tables.Inspection, results: Any) -> tables.Inspection:
        first, second = (await self.sent(visit.id))[:2]
        await self.reports(visit, first, results)
        return await self.confirms(visit, second)

    async def meets(self, correction_id: UUID, who: str | None) -> tables.Correction:
        return await self.act(
            lambda session: use_cases.meet_correction(session, correction_id, self.clock, assigned_to=who)
        )

    async def time_passes(self, until: date) -> None:
        """Day by day to `until`, firing what is due."""
        self.clock.advance(until)
        while await due.fire(service, self.database, self.clock):
            pass

    async def sent(self, inspection_id: UUID) -> list[str]:
        rows = await self.rows(
            "SELECT account FROM assignment WHERE inspection_id = $1 ORDER BY account", inspection_id
        )
        return [row["account"] for row in rows]

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.spine.database("supervision") as connection:
            return await connection.fetch(query, *arguments)

    async def row(self, query: str, *arguments: object) -> asyncpg.Record:
        [found] = await self.rows(query, *arguments)
        return found

    async def said(self, subject: str, *types: str) -> list[tuple[str, dict[str, Any]]]:
        """What was told of a subject, in order: the type's own name and the data."""
        rows = await self.rows("SELECT type, data FROM outbox WHERE subject = $1 ORDER BY sequence", subject)
        told = [(row["type"].split(".")[1], msgspec.json.decode(row["data"])) for row in rows]
        return [(type, data) for type, data in told if not types or type in types]


def returned(faults: Any) -> set[tuple[str, str]]:
    assert isinstance(faults, domain.FormReturned)
    return {(fault.field, fault.code) for fault in faults.faults}
