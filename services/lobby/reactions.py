"""Events become lines of the timeline. Each has its own id, so that hearing it again changes nothing."""

import json
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.envelope import Event, Incoming
from libs.common.reactions import Reactions
from services.lobby import consumed_events as heard
from services.lobby import repository

table = Reactions()


async def when_something_happened(session: AsyncSession, incoming: Incoming, event: Event, _clock: Clock) -> None:
    """A line under the application, the enterprise, or both."""
    application_id = UUID(incoming.subject) if isinstance(event, heard.OF_APPLICATIONS) else None
    uscc = incoming.subject if isinstance(event, heard.OF_ENTERPRISES) else getattr(event, "uscc", None)
    if isinstance(event, heard.EnterpriseRegistered):
        application_id = event.application_id
    connection = await raw(session)
    if application_id is not None:
        filed_by = getattr(event, "filed_by", UNSET)
        known = None if filed_by is UNSET else filed_by
        await connection.execute(repository.KNOW_APPLICATION, application_id, known, uscc)
        if uscc is not None:
            await connection.execute(repository.KNOW_ENTERPRISE, uscc, known, application_id)
    await connection.execute(
        repository.ADD_ENTRY, incoming.id, incoming.source, incoming.type, uscc, application_id,
        datetime.fromisoformat(incoming.time), _codes(event),
    )  # fmt: skip


async def when_risk_says_something(session: AsyncSession, incoming: Incoming, event: Event, _clock: Clock) -> None:
    """Kept apart from the timeline: it is for those who supervise alone."""
    when = datetime.fromisoformat(incoming.time)
    await (await raw(session)).execute(
        repository.ADD_RISK_EVENT, incoming.id, incoming.subject, when, _codes(event), incoming.type
    )


def _codes(event: Event) -> str:
    return json.dumps(msgspec.to_builtins(event))


for kind in (*heard.OF_APPLICATIONS, *heard.OF_ENTERPRISES, *heard.OF_NOBODY):
    table.on(kind)(when_something_happened)
for internal in heard.INTERNAL:
    table.on(internal)(when_risk_says_something)
