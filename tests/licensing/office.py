"""The licensing office on a real database: events of others come in as they are consumed, people act, days pass."""

import json
from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, work
from libs.common.clock import BusinessClock
from libs.common.database import Database, open_database, provision
from libs.common.envelope import Incoming, source_of
from libs.common.identity import Caller
from libs.common.migration import migrate
from libs.common.settings import load
from libs.common.transaction import once
from services.licensing import policy, tables, use_cases
from services.licensing.service import service
from services.licensing.settings import Settings
from tests.spine import Spine

START = date(2026, 1, 5)
OWNER = Caller("applicant-1", frozenset({"applicant"}))
STRANGER = Caller("applicant-2", frozenset({"applicant"}))


def officer(department: str, number: int = 1) -> Caller:
    return Caller(f"licensing-{department}-{number}", frozenset({"licensing_officer"}), department)


MARKET, FIRE, HEALTH = officer("market_regulation"), officer("fire_and_rescue"), officer("health")

_serial = count(1)


class Office:
    """Acts and what follows from them. `said` is what was told of an enterprise, in order."""

    def __init__(self, database: Database, spine: Spine) -> None:
        self.database, self.spine = database, spine
        self.clock = BusinessClock(START)

    @classmethod
    async def open(cls, spine: Spine) -> "Office":
        with spine.as_environment():
            settings = load(Settings, "licensing")
        await provision(settings)
        database = open_database(settings)
        await migrate(database)
        return cls(database, spine)

    async def hears(self, source: str, type: str, uscc: str, id: UUID | None = None, **data: Any) -> UUID:
        """An event of another service has its effect."""
        incoming = Incoming(
            "topic", 0, 0, source_of(source), uscc, next(_serial), id or uuid4(), f"{source}.{type}.v1",
            "2026-01-05T00:00:00Z", "case-1", None, msgspec.json.encode(data),
        )  # fmt: skip

        async def act(session: AsyncSession) -> None:
            assert service.apply is not None
            await service.apply(session, [incoming], self.clock)

        await once(self.database, act)
        return incoming.id

    async def registered(self, *activities: str, id: UUID | None = None, uscc: str = "", **facts: Any) -> str:
        """An enterprise of OWNER is registered; returns its identifier."""
        uscc = uscc or f"91310106MA{uuid4().hex[:8].upper()}"
        data = {"capital": "foreign", "permit_facts": [], "permit_facts_denied": [], **facts}
        await self.hears(
            "registration", "enterprise_registered", uscc, id, registered_on=self.clock.today(),
            activities=activities, filed_by=OWNER.subject, **data,
        )  # fmt: skip
        return uscc

    async def applies(
        self, uscc: str, item: str, way: use_cases.Way, *, accepted: bool = True, owner: Caller = OWNER
    ) -> tables.PermitApplication:
        command = use_cases.ApplyForPermit(uscc, item, way, accepted)
        return await once(
            self.database,
            lambda session: use_cases.apply_for_permit(session, command, owner, policy.current(), self.clock),
        )

    async def takes_work(self, queue: str, subject: UUID, by: Caller) -> None:
        """An officer claims the work item of a subject."""
        [item] = await self.rows("work_item", "subject", str(subject))
        desk = work.Desk(by.subject, [queue], by.department)
        await once(self.database, lambda session: work.claim(session, item["id"], desk, item["version"], self.clock))

    async def decides(
        self, id: UUID, ruling: use_cases.Ruling, by: Caller, *, version: int = 1
    ) -> tables.PermitApplication:
        return await once(
            self.database,
            lambda session: use_cases.decide(session, id, ruling, "seen on the spot", by, version, self.clock),
        )

    async def claims(self, id: UUID, by: Caller, *, version: int = 1) -> tables.Notification:
        return await once(self.database, lambda session: use_cases.claim(session, id, by, version, self.clock))

    async def returns(self, id: UUID, to: str | None, by: Caller, *, version: int = 1) -> tables.Notification:
        return await once(
            self.database,
            lambda session: use_cases.give_back(session, id, to, "not ours", by, version, policy.current(), self.clock),
        )

    async def days_pass(self, until: date) -> None:
        """Business time moves and everything that is due by then is fired."""
        self.clock.frozen_on = until
        while await due.fire(service, self.database, self.clock):
            pass

    async def rows(self, table: str, column: str, value: object) -> Sequence[asyncpg.Record]:
        async with self.spine.database("licensing") as connection:
            return await connection.fetch(f"SELECT * FROM {table} WHERE {column} = $1", value)

    async def said(self, uscc: str, *types: str) -> list[dict[str, Any]]:
        async with self.spine.database("licensing") as connection:
            found = await connection.fetch("SELECT type, data FROM outbox WHERE subject = $1 ORDER BY sequence", uscc)
        told = [{"type": row["type"].split(".")[1], **json.loads(row["data"])} for row in found]
        return [one for one in told if not types or one["type"] in types]

    async def notification(self, uscc: str, item: str) -> asyncpg.Record:
        [found] = [row for row in await self.rows("notification", "uscc", uscc) if row["item_id"] == item]
        return found
