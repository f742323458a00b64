"""Risk at its window in this process, on a database of its own: events are taken by hand, nothing else runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec

from libs.common.clock import BusinessClock
from libs.common.database import Database, open_database
from libs.common.due import ticker
from libs.common.envelope import Incoming, source_of
from libs.common.run import prepare
from libs.common.service import Service, find
from libs.common.transaction import once
from libs.common.web import Running, create_app
from services.risk import reactions
from tests.spine import Spine, bearer, eventually

PLANNING = {"purpose": "supervision_planning"}
TODAY = date(2026, 1, 5)


@dataclass(slots=True)
class Window:
    service: Service
    database: Database
    clock: BusinessClock
    client: httpx.AsyncClient
    spine: Spine

    async def get(self, path: str, person: str = "regulator-1", **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={"accept-language": "en", **PLANNING, **bearer(person), **headers})

    async def shown(self, path: str, person: str = "regulator-1") -> Any:
        answer = await self.get(path, person)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def every(self, path: str) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items, cursor = [], ""
        while True:
            answer = await self.shown(f"{path}{'&' if '?' in path else '?'}{cursor}")
            items += answer["items"]
            if answer["next"] is None:
                return items
            cursor = f"cursor={answer['next']}"

    async def send(
        self, method: str, path: str, body: Any = None, person: str = "regulator-1", if_match: int | None = None
    ) -> httpx.Response:
        headers = {"idempotency-key": str(uuid4()), "accept-language": "en", **bearer(person)}
        if if_match is not None:
            headers["if-match"] = f'"{if_match}"'
        return await self.client.request(method, path, json=body, headers=headers)

    async def take(self, *events: Incoming) -> None:
        """As the consumer does: one transaction for all. They were stated just now."""
        events = tuple(one._replace(time=self.clock.now().isoformat()) for one in events)
        await once(self.database, lambda session: reactions.apply(session, events, self.clock), name="batch")

    async def at(self, on: date) -> None:
        """Business time goes on to this day, through what is due."""
        self.clock.advance(on)
        stop = asyncio.Event()
        ticking = asyncio.create_task(ticker(self.service, self.database, self.clock, stop))
        async with self.rows() as connection:

            async def nothing_is_due() -> bool:
                return not await connection.fetchval("SELECT count(*) FROM due WHERE on_date <= $1", on)

            await eventually(nothing_is_due)
        stop.set()
        await ticking

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.spine.database("risk") as connection:
            yield connection


@asynccontextmanager
async def open_window(spine: Spine) -> AsyncIterator[Window]:
    with spine.as_environment():
        service = find("risk")
        settings = service.load_settings()
        database = open_database(settings)
        await prepare(service, settings, database)
        clock = BusinessClock(TODAY)
        assert service.on_start is not None
        await service.on_start(database, clock)
        app = create_app(service, Running(service, settings, database, clock))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://window", timeout=30) as client:
            yield Window(service, database, clock, client, spine)
        await database.engine.dispose()


_sequences: dict[tuple[str, str], Any] = {}


def event(type: str, uscc: str, id: UUID | None = None, **data: Any) -> Incoming:
    """The next event of this type about an enterprise."""
    source = source_of(type.partition(".")[0])
    sequence = next(_sequences.setdefault((source, uscc), count(1)))
    return Incoming(
        topic="", partition=0, offset=0, id=id or uuid4(), source=source, type=type, subject=uscc, sequence=sequence,
        correlation_id="c", time="", data=msgspec.json.encode(data), traceparent=None,
    )  # fmt: skip


def registered(
    uscc: str, on: date = TODAY, *, industry: str = "5210", area: str = "310106013", foreign_share: str = "0",
    **more: Any,
) -> Incoming:  # fmt: skip
    return event(
        "registration.enterprise_registered.v1", uscc, registered_on=on.isoformat(), industry=industry, area=area,
        registered_capital="50000000", capital_currency="CNY", foreign_share=foreign_share,
        application_id=str(uuid4()), enterprise_type="1", activities=[industry], **more,
    )  # fmt: skip


def moved(uscc: str, on: date, area: str) -> Incoming:
    return event(
        "registration.enterprise_changed.v1", uscc, changed_on=on.isoformat(), changed=["area"], area=area,
        change_id=str(uuid4()),
    )  # fmt: skip


def listed(uscc: str, on: date, listing_id: UUID | None = None, *, name: str = "abnormal_operation") -> Incoming:
    return event(
        "credit.subject_listed.v1", uscc, listing_id=str(listing_id or uuid4()), list=name, listed_on=on.isoformat()
    )


def delisted(uscc: str, on: date, listing_id: UUID, *, name: str = "abnormal_operation") -> Incoming:
    return event(
        "credit.subject_delisted.v1", uscc, listing_id=str(listing_id), list=name, reason="corrected",
        delisted_on=on.isoformat(),
    )  # fmt: skip


def penalised(uscc: str, on: date) -> Incoming:
    return event("credit.record_accepted.v1", uscc, record_id=str(uuid4()), kind="penalty", effective_on=on.isoformat())


def usccs(first: int, many: int) -> Sequence[str]:
    """Identifiers in their order; nobody else's."""
    return [f"91310106MA{n:07}X" for n in range(first, first + many)]
