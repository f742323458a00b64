"""Events and dates come in through the same use cases."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.envelope import Incoming
from libs.common.outbox import Cause
from libs.common.reactions import how_read
from libs.common.telemetry import span_in_each
from services.risk import policy, use_cases
from services.risk.consumed_events import (
    CONSUMED,
    EnterpriseChanged,
    EnterpriseDeregistered,
    EnterpriseRegistered,
    InspectionCompleted,
    RegistrationWithdrawn,
)
from services.risk.domain import Fact, facts_of
from services.risk.domain.relatives import ADDRESS, NOBODY, Tie
from services.risk.published_events import ClassChanged
from services.risk.use_cases import warnings

DECODERS = {kind.type: msgspec.json.Decoder(kind) for kind in CONSUMED}
_REGISTERED = msgspec.json.Decoder(EnterpriseRegistered)
_INSPECTED = msgspec.json.Decoder(InspectionCompleted)
TYING = {kind.type for kind in (EnterpriseRegistered, EnterpriseChanged, EnterpriseDeregistered, RegistrationWithdrawn)}


async def apply(session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> None:
    """Take the facts of a batch, and warn of what they give cause to look at."""
    if await take(session, events, clock):
        await _warn(session, events, clock)


async def take(session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> bool:
    """Take the facts and ties of a batch; whether there are any. An event of a type that states none is done with as it
    is."""
    facts: list[Fact] = []
    ties: list[Tie] = []
    causes: dict[str, Cause] = {}
    traces: list[str | None] = []
    for event in events:
        if how_read(DECODERS, event.type) is None:
            continue
        if stated := facts_stated(event):
            facts += stated
            ties += ties_stated(event)
            traces.append(event.traceparent)
            causes[event.subject] = Cause(event.id, event.correlation_id, fresh=True, traceparent=event.traceparent)
    if causes:
        with span_in_each("score", traces):
            await use_cases.take_facts(session, facts, ties, causes, clock)
    return bool(causes)


async def _warn(session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> None:
    """What these events and the classes that they change give cause to look at."""
    rules = policy.warning_rules()
    registrations: list[warnings.Registration] = []
    findings: list[warnings.Finding] = []
    for event in events:
        if event.type == EnterpriseRegistered.type:
            new = _REGISTERED.decode(event.data)
            address = None if new.address_id is None else str(new.address_id)
            registrations.append(
                warnings.Registration(event.subject, new.registered_on, event.id, address, new.filed_by)
            )
        elif event.type == InspectionCompleted.type and (found := _INSPECTED.decode(event.data)).problem:
            findings.append(warnings.Finding(event.subject, found.completed_on, event.id, found.departments))
    await warnings.note_registrations(session, registrations, rules, clock)
    await warnings.note_findings(session, findings, rules, clock)
    await warnings.note_worsenings(session, _worsened(session, clock), rules, clock)


def _worsened(session: AsyncSession, clock: Clock) -> list[warnings.Worsening]:
    """The classes that this transaction announces in place of lower ones."""
    said = [
        (entry.subject, use_cases.announcement(entry.data))
        for entry in session.info.get("outbox", ())
        if entry.type == ClassChanged.type
    ]
    return [
        warnings.Worsening(uscc, one.score, clock.now(), one.scorecard)
        for uscc, one in said
        if one.before is not None and one.before < one.risk_class
    ]


def facts_stated(event: Incoming) -> tuple[Fact, ...]:
    """The facts of one event. Raises what makes it unreadable."""
    decoder = DECODERS.get(event.type)
    if decoder is None:
        return ()
    data = msgspec.structs.asdict(decoder.decode(event.data))
    return facts_of(
        data, event_type=event.type, source=event.source, subject=event.subject, sequence=event.sequence,
        event_id=event.id, stated_at=_time(event),
    )  # fmt: skip


def ties_stated(event: Incoming) -> list[Tie]:
    """The ties of one event: who stands behind an enterprise, and at which address it is. What is said to have changed
    without being named is unknown from then on; who has left the register is at no address."""
    said = DECODERS[event.type].decode(event.data) if event.type in TYING else None
    match said:
        case EnterpriseRegistered():
            found = [(party.role, party.party_id) for party in said.parties]
            if said.address_id is not None:
                found.append((ADDRESS, said.address_id))
            on = said.registered_on
        case EnterpriseChanged():
            ends = {"legal_representative": "legal_representative", "area": ADDRESS}
            found, on = [(ends[item], NOBODY) for item in said.changed if item in ends], said.changed_on
        case EnterpriseDeregistered():
            found, on = [(ADDRESS, NOBODY)], said.deregistered_on
        case RegistrationWithdrawn():
            found, on = [(ADDRESS, NOBODY)], said.withdrawn_on
        case _:
            return []
    return [Tie(event.subject, role, object, event.sequence, on) for role, object in found]


def _time(event: Incoming) -> datetime:
    stated_at = datetime.fromisoformat(event.time)
    if stated_at.tzinfo is None:
        raise ValueError("the time of an event without its zone")
    return stated_at


async def when_scores_step(session: AsyncSession, partition: str, on: date, clock: Clock) -> None:
    await use_cases.step_scores(session, int(partition), on, clock)


async def when_relatives_are_judged(session: AsyncSession, uscc: str, _on: date, clock: Clock) -> None:
    await use_cases.judge_again(session, [uscc], clock)


async def when_an_override_expires(session: AsyncSession, override_id: str, _on: date, clock: Clock) -> None:
    await use_cases.expire_override(session, UUID(override_id), clock)
