"""The registry as its people know it: a day, who acts, and the acts; on a real database, without HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import work
from libs.common.clock import BusinessClock, ClockOn
from libs.common.database import Database, open_database, provision, raw
from libs.common.identity import Caller
from libs.common.migration import migrate
from libs.common.settings import Settings, load
from libs.common.transaction import once
from services.registration import policy, tables, use_cases
from services.registration.domain import Policy
from services.registration.domain.corrections import Correction
from services.registration.domain.reports import ChangeReport
from services.registration.forms import AnnualReportForm, ApplicationForm, EnterpriseChangeForm
from services.registration.service import service
from services.registration.use_cases import Judged
from tests.spine import Spine, form

T = TypeVar("T")
START = date(2026, 1, 5)
WEI, LIN = (Caller(name, frozenset({"registrar"})) for name in ("registrar-wei", "registrar-lin"))


@dataclass(frozen=True, slots=True)
class Registry:
    """`on` is the day; acts of applicants are those of `owner`, acts of officers name the officer."""

    database: Database
    spine: Spine
    on_day: date = START
    owner: str = "applicant-1"
    law: Policy = field(default_factory=policy.current)

    @property
    def clock(self) -> BusinessClock:
        return BusinessClock(self.on_day)

    def on(self, day: date) -> Registry:
        return replace(self, on_day=day)

    def as_(self, owner: str) -> Registry:
        return replace(self, owner=owner)

    def under(self, law: Policy) -> Registry:
        return replace(self, law=law)

    async def act(self, act: Callable[[AsyncSession], Awaitable[T]]) -> T:
        return await once(self.database, act)

    async def submit(self, *, draft_id: UUID | None = None, **fields: Any) -> Judged:
        command = ApplicationForm.model_validate(form(**fields)).command()
        return await self.act(
            lambda session: use_cases.submit_application(
                session, command, self.law, self.clock, id=uuid4(), filed_by=self.owner, draft_id=draft_id
            )
        )

    async def resubmit(self, id: UUID, version: int, **fields: Any) -> Judged:
        command = ApplicationForm.model_validate(form(**fields)).command()
        return await self.act(
            lambda session: use_cases.resubmit_application(
                session, id, command, self.owner, version, self.law, self.clock
            )
        )

    async def withdraw(self, id: UUID) -> tables.Application:
        return await self.act(lambda session: use_cases.withdraw_application(session, id, self.owner, self.clock))

    async def change(self, uscc: str, version: int = 1, **fields: Any) -> Judged:
        command = EnterpriseChangeForm.model_validate(fields).command()
        return await self.act(
            lambda session: use_cases.change_enterprise(
                session, uscc, command, self.owner, version, self.law, self.clock
            )
        )

    async def report_annual(self, uscc: str, year: int, **fields: Any) -> tables.InformationReport:
        given = {"year": year, "involves_special_measures": False, "employees": 12, "foreign_employees": 2, **fields}
        report = AnnualReportForm.model_validate(given).report()
        return await self.act(
            lambda session: use_cases.file_annual_report(session, uscc, report, self.owner, self.clock, id=uuid4())
        )

    async def report_change(self, uscc: str, happened_on: date, *matters: Any) -> tables.InformationReport:
        report = ChangeReport(matters or ("actual_controller",), happened_on)
        return await self.act(
            lambda session: use_cases.file_change_report(
                session, uscc, report, self.owner, self.law, self.clock, id=uuid4()
            )
        )

    async def claim(self, id: UUID | str, officer: Caller, queue: str = use_cases.REVIEW) -> work.Item:
        item = await self.item(id, queue)
        desk = work.Desk(officer.subject, [queue])
        return await self.act(
            lambda session: work.claim(session, item["id"], desk, item["version"], self.clock)
        )  # fmt: skip

    async def decide(
        self, id: UUID, ruling: Any, officer: Caller, version: int = 1, reason: str = "已核对业务范围。"
    ) -> tables.Application:
        return await self.act(
            lambda session: use_cases.decide_application(
                session, id, ruling, reason, officer, version, self.law, self.clock
            )
        )

    async def correct(self, id: UUID, officer: Caller, version: int, *fields: tuple[str, str]) -> tables.Application:
        asked = [Correction(field, words) for field, words in fields]
        return await self.act(
            lambda session: use_cases.request_corrections(
                session, id, asked, officer, version, self.law, self.clock
            )
        )  # fmt: skip

    async def deregister(self, uscc: str, procedure: Any) -> tables.Deregistration:
        return await self.act(
            lambda session: use_cases.request_deregistration(
                session, uscc, procedure, self.owner, self.law, self.clock, id=uuid4()
            )
        )

    async def time_passes(self, until: date) -> list[tuple[str, date]]:
        """Fire everything that is due up to this day, each on its own day; returns what has fired."""
        fired: list[tuple[str, date]] = []
        while row := await self.find("SELECT * FROM due WHERE on_date <= $1 ORDER BY on_date, kind, subject", until):
            kind, subject, on = row["kind"], row["subject"], row["on_date"]

            async def fire(session: AsyncSession, kind: str = kind, subject: str = subject, on: date = on) -> None:
                connection = await raw(session)
                await connection.execute("DELETE FROM due WHERE (kind, subject) = ($1, $2)", kind, subject)
                await service.when_due[kind](session, subject, on, ClockOn(on, self.clock))

            await self.act(fire)
            fired.append((kind, on))
        return fired

    async def find(self, query: str, *arguments: object) -> asyncpg.Record | None:
        async with self.connection() as connection:
            return await connection.fetchrow(query, *arguments)

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    async def row(self, query: str, *arguments: object) -> asyncpg.Record:
        found = await self.find(query, *arguments)
        assert found is not None
        return found

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.spine.database("registration") as connection:
            yield connection

    async def application(self, id: UUID) -> asyncpg.Record:
        return await self.row("SELECT * FROM application WHERE id = $1", id)

    async def enterprise(self, uscc: str) -> asyncpg.Record:
        return await self.row("SELECT * FROM enterprise WHERE uscc = $1", uscc)

    async def item(self, subject: UUID | str, queue: str = use_cases.REVIEW) -> asyncpg.Record:
        """The latest item of work for a subject."""
        order = "ORDER BY closed_at DESC NULLS FIRST LIMIT 1"
        return await self.row(f"SELECT * FROM work_item WHERE (queue, subject) = ($1, $2) {order}", queue, str(subject))

    async def said(self, subject: UUID | str) -> Sequence[asyncpg.Record]:
        async with self.connection() as connection:
            return await connection.fetch("SELECT * FROM outbox WHERE subject = $1 ORDER BY sequence", str(subject))

    async def told(self, subject: UUID | str) -> list[tuple[str, dict[str, Any]]]:
        """What was said about a subject: (act, data), in order."""
        return [(row["type"].split(".")[1], json.loads(row["data"])) for row in await self.said(subject)]


@asynccontextmanager
async def open_registry(spine: Spine) -> AsyncIterator[Registry]:
    """The registry of this namespace, its database made and migrated."""
    with spine.as_environment():
        settings = load(Settings, "registration")
    await provision(settings)
    database = open_database(settings)
    await migrate(database)
    yield Registry(database, spine)
    await database.engine.dispose()
