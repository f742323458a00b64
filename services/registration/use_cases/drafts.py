"""A form that somebody has begun: kept, saved again, dropped, and gone when nobody has looked after it."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due
from libs.common.clock import Clock
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain.draft import checked_content

DRAFT_ENDS = "draft_ends"
"""The due kind of a draft's last day: it has expired before, could still be opened, and is deleted now."""


class NoSuchDraft(Exception):
    """There is no such draft, or it is somebody else's."""


async def begin_draft(
    session: AsyncSession, content: dict[str, Any], owner: str, policy: domain.Policy, clock: Clock, *, id: UUID
) -> tables.Draft:
    """Keep a form that is not finished. Raises FormReturned where it cannot be kept as it is."""
    draft = tables.Draft(
        id=id, owner=owner, content=_as_text(content), saved_at=clock.now(), expires_on=_expires(policy, clock)
    )
    session.add(draft)
    await _set_last_day(session, draft, policy)
    return draft


async def save_draft(
    session: AsyncSession, id: UUID, content: dict[str, Any], owner: str, version: int, policy: domain.Policy,
    clock: Clock,
) -> tables.Draft:  # fmt: skip
    """Save a draft again; an expired one is current again by that. Raises NoSuchDraft, Stale, FormReturned."""
    text = _as_text(content)
    draft = await repository.draft_to_change(session, id, owner)
    if draft is None:
        raise NoSuchDraft
    if draft.version != version:
        raise Stale
    draft.content, draft.saved_at, draft.expires_on = text, clock.now(), _expires(policy, clock)
    draft.version += 1
    await _set_last_day(session, draft, policy)
    return draft


async def drop_draft(session: AsyncSession, id: UUID, owner: str) -> None:
    """Delete a draft. Raises NoSuchDraft."""
    draft = await repository.draft_to_change(session, id, owner)
    if draft is None:
        raise NoSuchDraft
    await session.delete(draft)
    await due.remove(session, DRAFT_ENDS, str(id))


async def use_up(session: AsyncSession, id: UUID | None, owner: str) -> None:
    """The draft has become an application. Raises FormReturned where it is not there, or somebody else's."""
    if id is None:
        return
    try:
        await drop_draft(session, id, owner)
    except NoSuchDraft:
        raise domain.FormReturned([domain.Fault("draft_id", "draft_unknown")]) from None


async def end_draft(session: AsyncSession, id: UUID) -> None:
    """Its last day is over."""
    await repository.delete_draft(session, id)


def kept_until(expires_on: date, policy: domain.Policy) -> date:
    """The day on which a draft is deleted."""
    return expires_on + timedelta(days=policy.days("draft_grace"))


def _expires(policy: domain.Policy, clock: Clock) -> date:
    return clock.today() + timedelta(days=policy.days("draft"))


async def _set_last_day(session: AsyncSession, draft: tables.Draft, policy: domain.Policy) -> None:
    await due.add(session, DRAFT_ENDS, str(draft.id), kept_until(draft.expires_on, policy))


def _as_text(content: dict[str, Any]) -> str:
    """The content as JSON in ASCII: a NUL and its like are escaped, so that a text column holds whatever came."""
    checked_content(content)
    return json.dumps(content, separators=(",", ":"))
