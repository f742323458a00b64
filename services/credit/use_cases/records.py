"""Records with their provenance: entered by the city or by what happened in the district, erased, shown for a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from msgspec import UNSET
from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox, work
from libs.common.clock import Clock
from services.credit import repository
from services.credit.domain.policy import Kind, Policy
from services.credit.published_events import Origin, RecordAccepted, RecordErased
from services.credit.tables import Enterprise, Record, RecordVersion
from services.credit.use_cases.standing import tell_restrictions

PUBLICATION_ENDS = "penalty_publication_ends"
REPAIR = "credit.repair"
"""The queue of repairs that wait for an officer."""

ErasureReason = Literal["annulled", "objection_upheld", "entered_in_error"]


class NoSuchRecord(Exception):
    """There is no such record."""


class AlreadyErased(Exception):
    """The record is erased."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A version of a record that is to stand. `content` is what is kept of it as it came."""

    kind: Kind
    ground: str | None
    origin: Origin
    origin_id: str
    effective_on: date
    content: Mapping[str, Any]
    version: int = 1
    flags: tuple[str, ...] = ()


def record_id(origin: str, origin_id: str) -> UUID:
    """Our id of a record: the same whenever, and however often, it comes."""
    return uuid5(NAMESPACE_URL, f"credit:{origin}:{origin_id}")


async def enter_record(session: AsyncSession, enterprise: Enterprise, entry: Entry, law: Policy, clock: Clock) -> None:
    """A new record, or a newer version of one, stands from now on. The enterprise is locked."""
    id, now = record_id(entry.origin, entry.origin_id), clock.now()
    says: dict[str, Any] = {
        "kind": entry.kind, "ground": entry.ground, "effective_on": entry.effective_on, "version": entry.version,
        "flags": list(entry.flags), "received_at": now, "policy_digest": law.digest,
    }  # fmt: skip
    record = await repository.record(session, id)
    if record is None:
        name: dict[str, Any] = {"id": id, "uscc": enterprise.uscc, "origin": entry.origin, "origin_id": entry.origin_id}
        record = Record(state="standing", **name, **says)
    else:
        record.sqlmodel_update(says)
    session.add(record)
    await session.flush()
    session.add(RecordVersion(record_id=id, version=entry.version, content=dict(entry.content), received_at=now))
    await _show_until(session, record, law)
    said = RecordAccepted(
        record_id=id, kind=entry.kind, ground=entry.ground, origin=entry.origin, origin_id=entry.origin_id,
        origin_version=entry.version if entry.origin == "city" else UNSET,
        flagged=bool(entry.flags), effective_on=entry.effective_on,
    )  # fmt: skip
    outbox.add(session, said, subject=enterprise.uscc, clock=clock)
    await tell_restrictions(session, enterprise, law, clock)


async def enter_own_record(session: AsyncSession, uscc: str, entry: Entry, law: Policy, clock: Clock) -> None:
    """What another service of the district has told becomes a record; told again it is the one that is there."""
    enterprise = await repository.enterprise_to_change(session, uscc)
    if await repository.record_of(session, entry.origin, entry.origin_id) is None:
        await enter_record(session, enterprise, entry, law, clock)


async def erase_record(session: AsyncSession, id: UUID, reason: ErasureReason, law: Policy, clock: Clock) -> None:
    """A record is withdrawn as if it had never been: it counts no more and its content goes; that it was, stays.

    Raises NoSuchRecord, AlreadyErased.
    """
    record = await repository.record(session, id)
    if record is None:
        raise NoSuchRecord
    enterprise = await repository.enterprise_to_change(session, record.uscc)
    await session.refresh(record)
    if record.state == "erased":
        raise AlreadyErased
    record.state, record.closed_on, record.closed_because = "erased", clock.today(), reason
    await session.exec(update(RecordVersion).where(col(RecordVersion.record_id) == id).values(content={}))
    await due.remove(session, PUBLICATION_ENDS, str(id))
    await end_repair_of(session, id, clock)
    outbox.add(session, RecordErased(record_id=id, erased_on=clock.today()), subject=record.uscc, clock=clock)
    await tell_restrictions(session, enterprise, law, clock)


async def end_publication(session: AsyncSession, id: UUID, clock: Clock) -> None:
    """The time for which a penalty is shown is over. The record stays, and what it did to the score has its own age."""
    record = await repository.record(session, id)
    if record is not None and record.state == "standing" and record.public_ended_on is None:
        record.public_ended_on = clock.today()


async def end_repair_of(session: AsyncSession, target: UUID, clock: Clock) -> None:
    """There is nothing left to repair: an application that waits is closed with it."""
    if repair := await repository.repair_in_review(session, target):
        repair.state, repair.version = "without_object", repair.version + 1
        await work.close(session, REPAIR, str(repair.id), "without_object", clock)


async def _show_until(session: AsyncSession, record: Record, law: Policy) -> None:
    record.public_until, record.public_ended_on = law.ends_on(record.ground, record.effective_on), None
    if record.public_until is None:
        await due.remove(session, PUBLICATION_ENDS, str(record.id))
    else:
        await due.add(session, PUBLICATION_ENDS, str(record.id), record.public_until)
