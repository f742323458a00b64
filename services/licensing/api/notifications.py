"""Double notification, as departments see it."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from libs.common.identity import Caller, Role
from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.licensing import repository, schemas, tables, use_cases, views
from services.licensing.api.arguments import NotificationId, Officer, OfficerOrSupervisor, TheCatalogue
from services.licensing.domain.states import NotificationState
from services.licensing.views.examples import USCC

api = router()
SEES_ALL: tuple[Role, ...] = ("supervisor", "auditor")

OfState = Annotated[NotificationState | None, Query(alias="state", examples=["sent"])]
OfEnterprise = Annotated[str | None, Query(alias="uscc", pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=[USCC])]


@api.get("/notifications", tags=["notifications"])
async def list_notifications(
    caller: OfficerOrSupervisor, reading: Reading, state: OfState = None, uscc: OfEnterprise = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> views.Notifications:  # fmt: skip
    """The notifications of the officer's department and those that any department may claim; by their deadline."""
    behind: Any = after(cursor, date.fromisoformat, UUID)
    every, department = _seen_by(caller)
    found = await repository.notifications(reading, every, department, state, uscc, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["claim_by"], row["id"]))
    return views.Notifications(items=[views.NotificationView.of(dict(row)) for row in rows], next=following)


@api.get("/notifications/{notification_id}", tags=["notifications"])
async def read_notification(
    notification_id: NotificationId, caller: OfficerOrSupervisor, reading: Reading, response: Response
) -> views.NotificationView:
    """One notification of the officer's department, or of none."""
    row = await repository.notification(reading, *_seen_by(caller), notification_id)
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return views.NotificationView.of(dict(row))


@api.post("/notifications/{notification_id}/claim", tags=["notifications"])
async def claim_notification(
    notification_id: NotificationId, caller: Officer, session: InTransaction, clock: TheClock, version: IfMatch,
    response: Response,
) -> views.NotificationView:  # fmt: skip
    """The officer's department takes the matter as its own."""
    return _shown(await use_cases.claim(session, notification_id, caller, version, clock), response)


@api.post("/notifications/{notification_id}/return", tags=["notifications"])
async def return_notification(
    notification_id: NotificationId, body: schemas.ReturnForm, caller: Officer, session: InTransaction,
    catalogue: TheCatalogue, clock: TheClock, version: IfMatch, response: Response,
) -> views.NotificationView:  # fmt: skip
    """The matter is not this department's: it goes to another one, or to nobody's desk, with a new deadline."""
    row = await use_cases.give_back(
        session, notification_id, body.to, body.reason, caller, version, catalogue, clock
    )  # fmt: skip
    return _shown(row, response)


def _seen_by(caller: Caller) -> tuple[bool, str | None]:
    return caller.has(*SEES_ALL), caller.department


def _shown(row: tables.Notification, response: Response) -> views.NotificationView:
    tag(response, row.version)
    return views.NotificationView.of(row.model_dump())
