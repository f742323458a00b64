"""HTTP: scorecards, from the draft to the one in force."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Path, Response
from starlette.convertors import Convertor, register_url_convertor

from libs.common.database import raw
from libs.common.identity import Caller
from libs.common.problems import Fault, Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, allowed, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.risk import use_cases
from services.risk.domain import ScorecardError
from services.risk.repository import scorecards as repository
from services.risk.schemas import tables
from services.risk.schemas.scorecards import (
    DIGEST,
    ListedScorecard,
    ReasonForm,
    ScorecardDocument,
    ScorecardPage,
    ScorecardView,
    TablesForm,
)


class _Digest(Convertor[str]):
    """Only a digest is the address of a scorecard, so that `tables` and `rollback` beside it take their own methods."""

    regex = "[0-9a-f]{64}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("digest", _Digest())
api = router()

Analyst = Annotated[Caller, allowed("risk_analyst")]
Signer = Annotated[Caller, allowed("risk_analyst", "regulator")]
Reader = Annotated[Caller, allowed("risk_analyst", "regulator", "auditor")]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", examples=[DIGEST])]


@api.post("/scorecards", status_code=201, tags=["scorecards"])
async def draft_scorecard(
    body: ScorecardDocument, caller: Analyst, session: InTransaction, clock: TheClock, response: Response
) -> ScorecardView:
    """Hand in a new scorecard. What makes it unfit is told at once, each fault with its path."""
    _refuse_unsayable(body)
    row = await use_cases.draft_scorecard(session, body.document(), caller, clock)
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/tables", status_code=201, tags=["scorecards"])
async def draft_scorecard_from_tables(
    body: TablesForm, caller: Analyst, session: InTransaction, clock: TheClock, response: Response
) -> ScorecardView:
    """Hand in a new scorecard as the CSV tables that a release keeps. Every fault is told with its file and line."""
    document, reader = tables.document_of(body)
    try:
        row = await use_cases.draft_scorecard(session, document.document(), caller, clock)
    except ScorecardError as error:
        raise tables.told_by_line(error, reader) from error
    return await _shown(await raw(session), row, response)


@api.get("/scorecards", tags=["scorecards"])
async def list_scorecards(_: Reader, reading: Reading, cursor: Cursor = None, limit: Limit = 50) -> ScorecardPage:
    """Scorecards in every state, the newest first."""
    behind = after(cursor, datetime.fromisoformat, UUID) or (None, None)
    found = await repository.rows(reading, repository.LIST, *behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["drafted_at"].isoformat(), row["id"]))
    return ScorecardPage(items=[ListedScorecard.of(row) for row in rows], next=following)


@api.get("/scorecards/{digest:digest}", tags=["scorecards"])
async def read_scorecard(digest: Digest, _: Reader, reading: Reading, response: Response) -> ScorecardView:
    """One scorecard whole, with its history and how far it is scored beside the one in force."""
    row = await repository.one(reading, repository.ONE, digest)
    if row is None:
        raise Problem("not-found", 404)
    return await _shown(reading, row, response)


@api.put("/scorecards/{digest:digest}", tags=["scorecards"])
async def edit_scorecard(
    digest: Digest, body: ScorecardDocument, caller: Analyst, session: InTransaction, clock: TheClock,
    version: IfMatch, response: Response,
) -> ScorecardView:  # fmt: skip
    """Replace a draft as a whole. Its address follows from what it decides: the answer names the new one."""
    _refuse_unsayable(body)
    row = await use_cases.edit_draft(session, digest, body.document(), version, caller, clock)
    response.headers["location"] = f"/v1/scorecards/{row['digest']}"
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/{digest:digest}/shadow", tags=["scorecards"])
async def begin_shadow(
    digest: Digest, body: ReasonForm, caller: Analyst, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> ScorecardView:  # fmt: skip
    """Score every enterprise by it beside the one in force. `progress` tells how far that is; then compare."""
    row = await use_cases.begin_shadow(session, digest, version, body.reason, caller, clock)
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/{digest:digest}/withdrawal", tags=["scorecards"])
async def withdraw_scorecard(
    digest: Digest, body: ReasonForm, caller: Analyst, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> ScorecardView:  # fmt: skip
    """Give up a draft, or end the comparison of a shadow. It stays on record and may be compared again."""
    row = await use_cases.withdraw_scorecard(session, digest, version, body.reason, caller, clock)
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/{digest:digest}/activation", tags=["scorecards"])
async def propose_activation(
    digest: Digest, body: ReasonForm, caller: Analyst, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> ScorecardView:  # fmt: skip
    """Propose to put the compared scorecard in force. Nothing changes until somebody else has signed."""
    row = await use_cases.propose_activation(session, digest, version, body.reason, caller, clock)
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/{digest:digest}/activation/signature", tags=["scorecards"])
async def sign_activation(
    digest: Digest, caller: Signer, session: InTransaction, clock: TheClock, version: IfMatch, response: Response
) -> ScorecardView:
    """Sign what somebody else has proposed: the scorecard is in force at once, and changed classes are announced. The
    one before stays scored beside it, so that a rollback is as quick."""
    row = await use_cases.sign_activation(session, digest, version, caller, clock)
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/{digest:digest}/activation/refusal", tags=["scorecards"])
async def refuse_activation(
    digest: Digest, body: ReasonForm, caller: Signer, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> ScorecardView:  # fmt: skip
    """Refuse a proposed activation, or take back one's own. The scorecard stays in comparison."""
    row = await use_cases.refuse_activation(session, digest, version, body.reason, caller, clock)
    return await _shown(await raw(session), row, response)


@api.post("/scorecards/rollback", tags=["scorecards"])
async def propose_rollback(
    body: ReasonForm, caller: Analyst, session: InTransaction, clock: TheClock, response: Response
) -> ScorecardView:
    """Propose to put the scorecard of before in force again. Somebody else signs it like any activation."""
    row = await use_cases.propose_rollback(session, body.reason, caller, clock)
    response.headers["location"] = f"/v1/scorecards/{row['digest']}"
    return await _shown(await raw(session), row, response)


def _refuse_unsayable(document: ScorecardDocument) -> None:
    """A learnt model that cannot be said in rules brings none, and names what stands in the way."""
    reasons = (document.features or {}).get("not_loadable")
    if not document.rules and isinstance(reasons, list):
        faults = [Fault(f"features.not_loadable.{i}", "scorecard_not_loadable") for i in range(min(len(reasons), 100))]
        raise Problem("scorecard-unfit", 422, [Fault("rules", "scorecard_empty"), *faults])


async def _shown(connection: asyncpg.Connection, row: repository.Row, response: Response) -> ScorecardView:
    tag(response, row["version"])
    return ScorecardView.whole(row, await repository.rows(connection, repository.HISTORY, row["id"]))
