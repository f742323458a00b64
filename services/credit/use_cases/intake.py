"""Records of the city: each is accounted for where it came in, and answered the first time it is seen."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5

from msgspec import UNSET
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from libs.common.envelope import Outside
from services.credit import repository
from services.credit.domain import intake
from services.credit.domain.intake import CityRecord, Known, Rejection, Seen
from services.credit.domain.policy import Policy
from services.credit.published_events import RecordRejected
from services.credit.use_cases.records import Entry, enter_record

RECORDS, OUTCOMES = "city.credit.records", "city.credit.outcomes"
"""The city's records come in on the one and are answered on the other."""


class _Case(NamedTuple):
    """A record under treatment. `identity`: what makes it the same record when it comes again."""

    seen: Seen
    identity: str
    digest: bytes
    place: str


async def take_records(session: AsyncSession, records: Sequence[Outside], law: Policy, clock: Clock) -> None:
    """Take a batch of one partition, in order; every record is counted under its outcome."""
    outcomes = Counter([await _take(session, record, law, clock) for record in records])
    await repository.count(session, records[0].partition, outcomes)


async def reject_unreadable(session: AsyncSession, record: Outside, law: Policy, clock: Clock) -> None:
    """A record whose taking fails by itself is answered as unreadable."""
    case = _case(session, record, law)
    if await _is_first(session, case, clock):
        await _reject(session, case, Rejection("unreadable"), clock)
    await repository.count(session, record.partition, {"rejected": 1})


async def _take(session: AsyncSession, record: Outside, law: Policy, clock: Clock) -> str:
    case = _case(session, record, law)
    if case.seen.record_id is not None:
        await repository.lock_record_id(session, case.seen.record_id)
    if not await _is_first(session, case, clock):
        same = await repository.digest_of(session, case.identity) == case.digest
        return "duplicate" if same else "conflicting"
    outcome = case.seen.outcome
    if isinstance(outcome, Rejection):
        return await _reject(session, case, outcome, clock)
    return await _enter(session, case, outcome, law, clock)


def _case(session: AsyncSession, record: Outside, law: Policy) -> _Case:
    """Read the record. What is said of it has ids that derive from its place: taken again, it is said again."""
    seen = intake.read(record.value, dict(record.headers), law)
    digest = hashlib.sha256(record.value or b"").digest()
    named = seen.record_id is not None and seen.version is not None
    identity = f"{seen.record_id}#{seen.version}" if named else f"sha256:{digest.hex()}"
    place = f"{RECORDS}:{record.partition}:{record.offset}"
    cause = uuid5(NAMESPACE_URL, f"{record.topic}:{record.partition}:{record.offset}")
    session.info["cause"] = outbox.Cause(cause, correlation_id=seen.record_id or place)
    return _Case(seen, identity, digest, place)


async def _is_first(session: AsyncSession, case: _Case, clock: Clock) -> bool:
    name = case.seen.record_id, case.seen.version
    return await repository.first_seen(session, case.identity, case.digest, case.place, name, clock.now())


async def _enter(session: AsyncSession, case: _Case, record: CityRecord, law: Policy, clock: Clock) -> str:
    enterprise = await repository.enterprise_to_change(session, record.uscc)
    stands = await repository.record_of(session, "city", record.record_id)
    known = Known(stands.version, stands.uscc, stands.kind, stands.state) if stands else None
    if rejection := intake.against(record, known):
        return await _reject(session, case, rejection, clock)
    flags = intake.flags(record, registered=enterprise.registered_on is not None, today=clock.today())
    content = {**asdict(record), "effective_on": record.effective_on.isoformat(), "place": case.place}
    entry = Entry(
        record.kind, record.ground, "city", record.record_id, record.effective_on, content, record.version, flags
    )
    await enter_record(session, enterprise, entry, law, clock)
    outcome = "flagged" if flags else "accepted"
    await repository.answered(session, case.identity, outcome, None, None, flags)
    return outcome


async def _reject(session: AsyncSession, case: _Case, rejection: Rejection, clock: Clock) -> str:
    version = case.seen.version
    said = RecordRejected(
        reason=rejection.reason, field=rejection.field, rejected_on=clock.today(),
        origin_version=UNSET if version is None else version,
    )  # fmt: skip
    outbox.add(session, said, subject=case.seen.record_id or case.place, clock=clock)
    await repository.answered(session, case.identity, "rejected", *rejection, ())
    return "rejected"
