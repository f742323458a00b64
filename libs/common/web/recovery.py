"""The recovery reports of a service: what was rebuilt, restored, reconciled and disposed of, and whether each is what
the service has signed."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict

from libs.common import evidence, signature
from libs.common.evidence import Verification
from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.signature import Keyring
from libs.common.web.commands import Reading, router
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.rights import allowed
from libs.common.web.running import running

OperatorOrAuditor = Annotated[Caller, allowed("operator", "auditor")]

LIST = """
SELECT id, kind, at, document, jws FROM recovery_report
WHERE $1::timestamptz IS NULL OR (at, id) < ($1, $2::uuid) ORDER BY at DESC, id DESC LIMIT $3
"""
ONE = "SELECT id, kind, at, document, jws FROM recovery_report WHERE id = $1"

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SUMMARY: dict[str, Any] = {
    "id": "5b0c2f0e-8b1c-4a49-9d39-2c8a8f0d6a11", "kind": "rebuild", "at": "2026-01-05T01:30:02Z", "by": "operator",
    "outcome": "equal", "different": 0, "summary": "1200 events, 300 enterprises", "verification": "verified",
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "id": SUMMARY["id"], "kind": "rebuild", "service": "risk", "by": "operator", "began_at": "2026-01-05T01:30:00Z",
    "ended_at": "2026-01-05T01:30:02Z", "build": DIGEST, "policy": DIGEST,
    "cut": {"positions": {"registration.events/0": 41}, "dates": {"0": "2026-01-05"}},
    "compared": {"live": DIGEST, "rebuilt": DIGEST}, "different": 0, "differences": [], "dispositions": [],
    "outcome": "equal", "summary": "1200 events, 300 enterprises",
}  # fmt: skip

ReportId = Annotated[UUID, Path(description="The id of a recovery report.", examples=[SUMMARY["id"]])]


class RecoveryReportLine(BaseModel):
    """One report in short. `verification` is `verified` where the row is what the service has signed; any other word
    says why it is not. What cannot be read any more is null."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY]})

    id: UUID
    kind: str
    at: datetime
    by: str | None
    outcome: Literal["equal", "different", "refused", "mended", "carried_out"] | None
    different: int | None
    summary: str | None
    verification: Verification


class RecoveryReportPage(BaseModel):
    """The newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [SUMMARY], "next": None}]})

    items: list[RecoveryReportLine]
    next: str | None


class RecoveryReportView(RecoveryReportLine):
    """The whole report as it stands in the database, and `jws`, which the offline verifier checks."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [SUMMARY | {"document": DOCUMENT, "jws": "eyJhbGciOiJFZDI1NTE5In0.e30.c2ln"}]}
    )

    document: dict[str, Any] | None
    jws: str | None


def recovery() -> APIRouter:
    """The routes; every service has them."""
    routes = router()

    @routes.get("/recovery-reports", tags=["operations"])
    async def read_recovery_reports(
        request: Request, _: OperatorOrAuditor, reading: Reading, cursor: Cursor = None, limit: Limit = 50
    ) -> RecoveryReportPage:
        """What was rebuilt, restored, reconciled and disposed of in this service, the newest first."""
        keys = signature.keys(running(request).settings)
        begin = after(cursor, datetime.fromisoformat, UUID) or (None, None)
        rows, following = page(await reading.fetch(LIST, *begin, limit + 1), limit, lambda row: (row["at"], row["id"]))
        return RecoveryReportPage(items=[RecoveryReportLine(**_line(row, keys)) for row in rows], next=following)

    @routes.get("/recovery-reports/{id}", tags=["operations"])
    async def read_recovery_report(
        id: ReportId, request: Request, _: OperatorOrAuditor, reading: Reading
    ) -> RecoveryReportView:
        """One report with everything that was compared, and its signature."""
        row = await reading.fetchrow(ONE, id)
        if row is None:
            raise Problem("not-found", 404)
        said = evidence.read(row["document"])
        document = None if said is None else msgspec.to_builtins(said)
        keys = signature.keys(running(request).settings)
        return RecoveryReportView(**_line(row, keys), document=document, jws=row["jws"])

    return routes


def _line(row: asyncpg.Record, keys: Keyring) -> dict[str, Any]:
    said = evidence.read(row["document"])
    proof = evidence.verify(row["document"], row["jws"], keys)
    if proof == "verified" and (
        said is None or (said.id, said.kind, said.ended_at) != (row["id"], row["kind"], row["at"])
    ):
        proof = "altered"
    return {
        "id": row["id"], "kind": row["kind"], "at": row["at"], "by": said and said.by,
        "outcome": said and said.outcome, "different": None if said is None else said.different,
        "summary": said and said.summary, "verification": proof,
    }  # fmt: skip
