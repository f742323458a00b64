"""HTTP: a class that people set beside the computed one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Looking, Reading, TheClock, allowed, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.risk import use_cases
from services.risk.api.enterprises import Regulator, Uscc
from services.risk.domain import RiskClass
from services.risk.repository import overrides as repository
from services.risk.schemas.overrides import (
    OVERRIDE_ID,
    ListedOverride,
    OverrideForm,
    OverridePage,
    OverrideState,
    OverrideView,
    WithdrawalForm,
)

api = router()

Judge = Annotated[Caller, allowed("risk_analyst", "regulator")]
OverrideId = Annotated[UUID, Path(examples=[OVERRIDE_ID])]
InState = Annotated[OverrideState | None, Query(examples=["waiting"], description="All where none is named.")]
OfEnterprise = Annotated[
    str | None, Query(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"], description="Of one only.")
]


@api.post("/enterprises/{uscc}/risk/override", status_code=201, tags=["overrides"])
async def set_override(
    uscc: Uscc, body: OverrideForm, caller: Judge, session: InTransaction, clock: TheClock, response: Response
) -> OverrideView:
    """Set a class beside the computed one. It holds when somebody else has signed, until the day that it names."""
    row = await use_cases.set_override(
        session, uscc, RiskClass[body.risk_class], body.reason, body.expires_on, caller, clock
    )
    response.headers["location"] = f"/v1/overrides/{row['id']}"
    return _shown(row, response)


@api.get("/overrides", tags=["overrides"])
async def list_overrides(
    _: Regulator, looking: Looking, reading: Reading, state: InState = None, uscc: OfEnterprise = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> OverridePage:  # fmt: skip
    """Overrides, the newest first. Every look is recorded with its purpose."""
    await looking.record()
    behind = after(cursor, datetime.fromisoformat, UUID) or (None, None)
    found = [dict(row) for row in await reading.fetch(repository.list_of(state), uscc, *behind, limit + 1)]
    rows, following = page(found, limit, lambda row: (row["entered_at"].isoformat(), row["id"]))
    return OverridePage(items=[ListedOverride.of(row) for row in rows], next=following)


@api.get("/overrides/{override_id}", tags=["overrides"])
async def read_override(
    override_id: OverrideId, _: Regulator, looking: Looking, reading: Reading, response: Response
) -> OverrideView:
    """One override, whether it holds or has ended. Every look is recorded with its purpose."""
    await looking.record()
    row = await repository.one(reading, repository.ONE, override_id)
    if row is None:
        raise Problem("not-found", 404)
    return _shown(row, response)


@api.post("/overrides/{override_id}/signature", tags=["overrides"])
async def sign_override(
    override_id: OverrideId, caller: Judge, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> OverrideView:  # fmt: skip
    """Sign an override that somebody else has entered. From now on it holds, in place of an earlier one."""
    return _shown(await use_cases.sign_override(session, override_id, version, caller, clock), response)


@api.post("/overrides/{override_id}/withdrawal", tags=["overrides"])
async def withdraw_override(
    override_id: OverrideId, body: WithdrawalForm, caller: Judge, session: InTransaction, clock: TheClock,
    version: IfMatch, response: Response,
) -> OverrideView:  # fmt: skip
    """End an override before its day, signed or not, with a reason."""
    row = await use_cases.withdraw_override(session, override_id, version, body.reason, caller, clock)
    return _shown(row, response)


def _shown(row: repository.Row, response: Response) -> OverrideView:
    tag(response, row["version"])
    return OverrideView.of(row)
