"""Events become lines of the timeline. Each has its own id, so that hearing it again changes nothing.

A batch is taken in one statement a table, with the same outcome as its events one by one.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.envelope import Event, Incoming
from libs.common.reactions import how_read
from libs.common.telemetry import span_in_each
from services.lobby import consumed_events as heard
from services.lobby import repository

DECODERS: dict[str, msgspec.json.Decoder[Any]] = {kind.type: msgspec.json.Decoder(kind) for kind in heard.CONSUMED}

Line = tuple[Incoming, Event]


async def apply(session: AsyncSession, events: Sequence[Incoming], _clock: Clock) -> None:
    """What is said of a case goes into the timeline; what risk says is kept apart, for those who supervise alone."""
    lines: list[Line] = []
    risk: list[Line] = []
    for incoming in events:
        if (decoder := how_read(DECODERS, incoming.type)) is None:
            continue
        event = decoder.decode(incoming.data)
        (risk if isinstance(event, heard.INTERNAL) else lines).append((incoming, event))
    with span_in_each("tell", [incoming.traceparent for incoming, _ in (*lines, *risk)]):
        await _tell(session, lines)
        await _write(session, repository.ADD_RISK_EVENTS, [
            (incoming.id, incoming.subject, _time(incoming), _codes(event), incoming.type) for incoming, event in risk
        ])  # fmt: skip


async def _tell(session: AsyncSession, lines: Sequence[Line]) -> None:
    """A line under the application, the enterprise, or both. What is said later of either counts, and what it leaves
    out stands; sorted, so that no two batches wait for each other."""
    applications: dict[UUID, tuple[str | None, str | None]] = {}
    enterprises: dict[str, tuple[str | None, UUID]] = {}
    entries: list[tuple[Any, ...]] = []
    for incoming, event in lines:
        application_id, uscc = _whose(incoming, event)
        if application_id is not None:
            said = getattr(event, "filed_by", UNSET)
            filed_by = None if said is UNSET else said
            known = applications.get(application_id, (None, None))
            applications[application_id] = _first(filed_by, known[0]), _first(uscc, known[1])
            if uscc is not None:
                enterprises[uscc] = _first(filed_by, enterprises.get(uscc, (None,))[0]), application_id
        entries.append(
            (incoming.id, incoming.source, incoming.type, uscc, application_id, _time(incoming), _codes(event))
        )
    await _write(session, repository.KNOW_APPLICATIONS, [(id, *known) for id, known in sorted(applications.items())])
    await _write(session, repository.KNOW_ENTERPRISES, [(uscc, *known) for uscc, known in sorted(enterprises.items())])
    await _write(session, repository.ADD_ENTRIES, entries)


def _whose(incoming: Incoming, event: Event) -> tuple[UUID | None, str | None]:
    """The application and the enterprise that an event tells of."""
    if isinstance(event, heard.OF_APPLICATIONS):
        return UUID(incoming.subject), getattr(event, "uscc", None)
    if isinstance(event, heard.OF_ENTERPRISES):
        return event.application_id if isinstance(event, heard.EnterpriseRegistered) else None, incoming.subject
    return None, None


async def _write(session: AsyncSession, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        await (await raw(session)).execute(statement, *map(list, zip(*rows, strict=True)))


def _first(new: str | None, old: str | None) -> str | None:
    return old if new is None else new


def _time(incoming: Incoming) -> datetime:
    return datetime.fromisoformat(incoming.time)


def _codes(event: Event) -> str:
    return json.dumps(msgspec.to_builtins(event))
