"""HTTP: what people should look at; seen, taken up and closed by regulators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Looking, Reading, TheClock, allowed, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.risk import policy
from services.risk.api.enterprises import Regulator
from services.risk.policy import WarningKind
from services.risk.repository import warnings as repository
from services.risk.schemas.warnings import WARNING_ID, ClosingForm, State, WarningPage, WarningView
from services.risk.use_cases import warnings as acts

api = router("/v1/risk/warnings")

Watcher = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor")]
WarningId = Annotated[UUID, Path(examples=[WARNING_ID])]
InState = Annotated[State | None, Query(examples=["open"], description="All where none is named.")]
OfKind = Annotated[WarningKind | None, Query(examples=["address_cluster"])]
OfEnterprise = Annotated[
    str | None,
    Query(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"], description="That it is part of."),
]


@api.get("", tags=["warnings"])
async def list_warnings(
    _: Regulator, looking: Looking, reading: Reading, state: InState = None, kind: OfKind = None,
    uscc: OfEnterprise = None, cursor: Cursor = None, limit: Limit = 50,
) -> WarningPage:  # fmt: skip
    """Warnings, the newest first. Every look is recorded with its purpose."""
    await looking.record()
    behind = after(cursor, datetime.fromisoformat, UUID) or (None, None)
    query, values = repository.list_of(state, kind, uscc)
    found = await reading.fetch(query, *behind, limit + 1, *values)
    rows, following = page(found, limit, lambda row: (row["raised_at"].isoformat(), row["id"]))
    rules = policy.warning_rules()
    return WarningPage(items=[WarningView.of(dict(row), rules) for row in rows], next=following)


@api.get("/{warning_id}", tags=["warnings"])
async def read_warning(
    warning_id: WarningId, _: Regulator, looking: Looking, reading: Reading, response: Response
) -> WarningView:
    """One warning, open or closed. Every look is recorded with its purpose."""
    await looking.record()
    row = await reading.fetchrow(repository.ONE, warning_id)
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return WarningView.of(dict(row), policy.warning_rules())


@api.post("/{warning_id}/acknowledgement", tags=["warnings"])
async def acknowledge_warning(
    warning_id: WarningId, caller: Watcher, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> WarningView:  # fmt: skip
    """Take a warning up: others see who looks into it."""
    row = await acts.acknowledge_warning(session, warning_id, version, caller.subject, clock)
    tag(response, row["version"])
    return WarningView.of(row, policy.warning_rules())


@api.post("/{warning_id}/closing", tags=["warnings"])
async def close_warning(
    warning_id: WarningId, body: ClosingForm, caller: Watcher, session: InTransaction, clock: TheClock,
    version: IfMatch, response: Response,
) -> WarningView:  # fmt: skip
    """Close a warning with its outcome. What it was about counts no more towards the next one."""
    row = await acts.close_warning(session, warning_id, version, caller.subject, body.outcome, body.note, clock)
    tag(response, row["version"])
    return WarningView.of(row, policy.warning_rules())
