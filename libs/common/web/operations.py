"""What operators do at every service: look at the events that stand aside, and decide what becomes of them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from libs.common.database import raw
from libs.common.dispositions import Disposition, Futile, dispose
from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web.commands import InTransaction, Reading, router
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.rights import allowed

Operator = Annotated[Caller, allowed("operator")]

OPEN = "state IN ('waiting', 'failed', 'forked')"
LIST = f"""
SELECT id, source, subject, sequence, type, state, left(error, 500) AS error, attempts, parked_at AS since,
    disposition, disposed_by, disposed_why
FROM parked
WHERE {OPEN} AND ($1::text IS NULL OR (source, subject, sequence, id) > ($1, $2::text, $3::bigint, $4::uuid))
ORDER BY source, subject, sequence, id LIMIT $5
"""
BY_ID = f"SELECT source, subject, sequence, id FROM parked WHERE id = $1 AND {OPEN}"

PARKED: dict[str, Any] = {
    "id": "7d0d0c9e-0c57-5a3f-8a8e-0e8f4f3b2d11", "source": "/jingan/registration", "subject": "91310106MA0000015B",
    "sequence": 4, "type": "registration.enterprise_changed.v1", "state": "failed",
    "error": "PolicyMissing: no rule for 'scope'", "attempts": 3, "since": "2026-01-05T01:30:00Z", "disposition": None,
    "disposed_by": None, "disposed_why": None,
}  # fmt: skip
DISPOSED: dict[str, Any] = {"disposition": "retry", "why": "The rule that was missing is in force now."}

ParkedId = Annotated[UUID, Path(description="The id of a parked event.", examples=[PARKED["id"]])]


class ParkedView(BaseModel):
    """An event that stands aside: it waits for the one before it, has failed, or another claims its sequence."""

    model_config = ConfigDict(json_schema_extra={"examples": [PARKED]})

    id: UUID
    source: str
    subject: str
    sequence: int
    type: str
    state: str
    error: str | None
    attempts: int
    since: datetime
    disposition: Disposition | None
    disposed_by: str | None
    disposed_why: str | None


class ParkedPage(BaseModel):
    """Parked events by source, subject and sequence."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [PARKED], "next": None}]})

    items: list[ParkedView]
    next: str | None


class DispositionForm(BaseModel):
    """What becomes of a parked event, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [DISPOSED]}, extra="forbid", strict=True)

    disposition: Disposition
    why: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


def _key(row: asyncpg.Record) -> tuple[Any, ...]:
    return row["source"], row["subject"], row["sequence"], row["id"]


def operations() -> APIRouter:
    """The routes; every service has them."""
    routes = router()

    @routes.get("/parked", tags=["operations"])
    async def read_parked(_: Operator, reading: Reading, cursor: Cursor = None, limit: Limit = 50) -> ParkedPage:
        """The events that stand aside in this service, and what was decided about them."""
        begin = after(cursor, str, str, int, UUID) or (None,) * 4
        rows, following = page(await reading.fetch(LIST, *begin, limit + 1), limit, _key)
        return ParkedPage(items=[ParkedView.model_validate(dict(row)) for row in rows], next=following)

    @routes.post("/parked/{id}/disposition", status_code=202, tags=["operations"])
    async def dispose_of_parked(
        id: ParkedId, body: DispositionForm, caller: Operator, session: InTransaction
    ) -> DispositionForm:
        """Try the event again, give it up, or accept the gap before it. The running consumer carries it out."""
        connection = await raw(session)
        row = await connection.fetchrow(BY_ID, id)
        if row is None:
            raise Problem("not-found", 404)
        try:
            await dispose(
                connection, body.disposition, row["subject"], row["sequence"],
                by=caller.subject, why=body.why, id=str(id), source=row["source"],
            )  # fmt: skip
        except Futile as error:
            raise Problem(error.code, 409, params=error.params) from error
        return body

    return routes
