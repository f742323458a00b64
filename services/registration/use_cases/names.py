"""Names: looked up, kept for an applicant, taken by an application, entered with its enterprise, and free again."""

import dataclasses
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due
from libs.common.clock import Clock
from libs.common.database import Database, raw
from libs.common.transaction import once
from services.registration import domain, tables
from services.registration.domain import names
from services.registration.domain.application import activity_faults
from services.registration.repository import names as held

NAME_ENDS = "name_ends"
"""The due kind of a name whose last day is over. It fires on the day after."""

DAY = timedelta(days=1)


class NoSuchReservation(Exception):
    """No name is reserved under this id, or it is somebody else's."""


async def check_name(
    connection: asyncpg.Connection, plan: names.Plan, policy: domain.Policy, today: date
) -> names.NameAnswer:
    """What stands against a name, with the names that it is like. Nothing is kept.

    Raises FormReturned for an activity that is no class of GB/T 4754.
    """
    if unknown := [dataclasses.replace(fault, field="activity") for fault in activity_faults((plan.activity,), policy)]:
        raise domain.FormReturned(unknown)
    keys = names.keys(plan.name, plan.activity, policy)
    return names.check(plan, await held.names_like(connection, keys, today), policy)


async def reserve_name(
    session: AsyncSession, plan: names.Plan, holder: str, policy: domain.Policy, clock: Clock, *,
    id: UUID, prior_approval: bool,
) -> tables.NameHeld:  # fmt: skip
    """Keep a name for two months, or for a year where an approval comes first. Two who want one name take turns.

    Raises FormReturned with every ground; a name that an officer has to look at cannot be reserved.
    Source: Name Regulations (Order 734) Art 16-18.
    """
    keys = names.keys(plan.name, plan.activity, policy)
    await held.lock_name(session, keys.trade)
    answer = await check_name(await raw(session), plan, policy, clock.today())
    if answer.grounds:
        raise domain.FormReturned(_faults(answer.grounds))
    months = policy.days("name_reserved_for_approval" if prior_approval else "name_reserved")
    row = _row(id, plan.name, keys, "reserved", clock.today())
    row.holder, row.until = holder, names.months_after(clock.today(), months)
    session.add(row)
    await due.add(session, NAME_ENDS, str(id), row.until + DAY)
    return row


async def release_name(session: AsyncSession, id: UUID, holder: str) -> None:
    """Give a reserved name back. Raises NoSuchReservation."""
    row = await held.reservation(session, id, holder)
    if row is None:
        raise NoSuchReservation
    await session.delete(row)
    await due.remove(session, NAME_ENDS, str(id))


async def end_name(session: AsyncSession, id: UUID, clock: Clock) -> None:
    """Its last day is over. Nobody outside reads about it, so nothing is published."""
    await held.forget_name(session, id, clock.today())


async def take_name(
    session: AsyncSession, application: domain.Application, parties: Iterable[domain.Party], id: UUID, owner: str,
    policy: domain.Policy, clock: Clock,
) -> names.NameAnswer:  # fmt: skip
    """Take the name of a form for its application: the one that its applicant has reserved, or one that is free.

    Raises FormReturned with every ground that refuses it (Art 20).
    """
    plan = names.application_plan(application, (party.name for party in parties if party.role == "investor"))
    keys = names.keys(plan.name, plan.activity, policy)
    await held.lock_name(session, keys.trade)
    row = await held.own_reservation(session, owner, plan.name.full, clock.today())
    like = await held.names_like(await raw(session), keys, clock.today(), [row.id] if row else [])
    answer = names.check(plan, like, policy)
    if answer.outcome == "refused":
        raise domain.FormReturned(_faults(answer.grounds))
    if row is None:
        row = _row(uuid4(), plan.name, keys, "applied", clock.today())
        row.holder = owner
        session.add(row)
    row.state, row.application_id = "applied", id
    return answer


async def change_name(
    session: AsyncSession, enterprise: tables.Enterprise, plan: names.Plan, owner: str, policy: domain.Policy,
    clock: Clock,
) -> None:  # fmt: skip
    """The enterprise takes another name: the one that its owner has reserved, or one that is free. What it gives up is
    free a year later.

    Raises FormReturned with every ground; a name that an officer has to look at cannot be taken by a change.
    Source: Name Regulations (Order 734) Art 17, 20; Registration Rules (SAMR Order 52) Art 34.
    """
    keys = names.keys(plan.name, plan.activity, policy)
    await held.lock_name(session, keys.trade)
    kept = await held.own_reservation(session, owner, plan.name.full, clock.today())
    own = await held.name_of(session, enterprise.uscc)
    theirs = [row.id for row in (kept, own) if row is not None]
    answer = names.check(plan, await held.names_like(await raw(session), keys, clock.today(), theirs), policy)
    if answer.grounds:
        raise domain.FormReturned(_faults(answer.grounds))
    until = names.months_after(clock.today(), policy.days("name_left")) - DAY
    if id := await held.give_up_name(session, enterprise.uscc, until):
        await due.add(session, NAME_ENDS, str(id), until + DAY)
    row = kept or _row(uuid4(), plan.name, keys, "registered", clock.today())
    row.state, row.until, row.uscc = "registered", None, enterprise.uscc
    session.add(row)


async def leave_name(session: AsyncSession, uscc: str, policy: domain.Policy, clock: Clock) -> None:
    """The enterprise has left the register; its name is free a year later."""
    until = names.months_after(clock.today(), policy.days("name_left")) - DAY
    if id := await held.leave_name(session, uscc, until):
        await due.add(session, NAME_ENDS, str(id), until + DAY)


async def enter_missing_names(database: Database, policy: domain.Policy) -> None:
    """Enterprises that were registered before names were kept; done when the service starts, and nothing later on."""

    async def act(session: AsyncSession) -> int:
        await held.lock_name(session, "")  # processes that start together take turns
        rows = await held.nameless(await raw(session))
        for row in rows:
            name = domain.EnterpriseName(**row["name"])
            entered = _row(
                uuid4(), name, names.keys(name, row["activities"][0], policy), "registered", row["registered_on"]
            )
            entered.application_id, entered.uscc = row["id"], row["uscc"]
            session.add(entered)
        await session.flush()
        return len(rows)

    while await once(database, act, name="start"):
        pass


def grounds_kept(answer: names.NameAnswer) -> list[dict[str, Any]]:
    return [dataclasses.asdict(ground) for ground in answer.grounds]


def _faults(grounds: Iterable[names.NameGround]) -> list[domain.Fault]:
    return [domain.Fault(f"enterprise_name.{one.field}", one.code, {"word": one.word}) for one in grounds]


def _row(id: UUID, name: domain.EnterpriseName, keys: names.Keys, state: names.Held, on: date) -> tables.NameHeld:
    found = dataclasses.asdict(keys)
    del found["full"]
    return tables.NameHeld(
        id=id, state=state, name=dataclasses.asdict(name), full_name=name.full, held_since=on, **found
    )
