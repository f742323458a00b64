"""Signals to relatives: what an event changes for those behind whom the same party stands, or at the same address.

A relative may be in another partition and in another process's hands, so that nothing of it is touched but the row
that says what was signalled last. The signal goes by our own topic and comes back as one more fact of the relative.
docs/decisions/0019-related-parties.md has the argument.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple, cast

import asyncpg
import msgspec
import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import Clock
from services.risk import packed
from services.risk.domain import Fact
from services.risk.domain.relatives import (
    ADDRESS,
    DENSITY,
    Key,
    Signals,
    Tie,
    Worth,
    density,
    laying_or_lifting,
    of_addresses,
    of_parties,
)
from services.risk.policy.relatives import bearings, thresholds
from services.risk.published_events import RelatedIndicator, RelatedPartySignalled
from services.risk.repository import relatives as repository
from services.risk.repository.facts import Known
from services.risk.repository.relatives import Said, addresses, parties
from services.risk.vectorised import EPOCH


class Moved(NamedTuple):
    """What has changed, as far as relatives are concerned. `tied`: enterprises whose ties are judged anew; `burdened`:
    those whose relatives are. `ended`, `new`: ties."""

    tied: Collection[str]
    burdened: Collection[str]
    ended: Sequence[Tie] = ()
    new: Sequence[Tie] = ()


async def signal_relatives(
    session: AsyncSession, connection: asyncpg.Connection, known: Known, facts: Sequence[Fact], ties: Sequence[Tie],
    causes: Mapping[str, outbox.Cause], clock: Clock,
) -> None:  # fmt: skip
    """Take ties, and say what they and new facts change for relatives. `known`: the enterprises that both are about,
    with the facts in; their partitions are locked, and with them their ties and burdens."""
    matters = laying_or_lifting(bearings())
    tied = {one.uscc for one in ties}
    if looked_at := tied | {fact.subject for fact in facts if fact.indicator in matters}:
        await _judge(session, connection, known, tied, looked_at, ties, causes, clock)


async def judge_relatives(
    session: AsyncSession, connection: asyncpg.Connection, known: Known, causes: Mapping[str, outbox.Cause],
    clock: Clock,
) -> None:  # fmt: skip
    """Judge these enterprises anew, whatever has changed."""
    everyone = set(known.usccs)
    await _judge(session, connection, known, everyone, everyone, (), causes, clock)


async def adopt_signals(connection: asyncpg.Connection, usccs: Collection[str]) -> list[str]:
    """After a restore: what our topic said last counts as said. Returns those of whom something else was said than
    the restored database knows; they have to be judged anew."""
    last: dict[Key, Worth] = {}
    for row in await connection.fetch(repository.TOLD, list(usccs), RelatedPartySignalled.type):
        told = msgspec.json.decode(row["data"], type=RelatedPartySignalled)
        last[Key(row["subject"], told.indicator, told.record)] = Worth(told.value, told.since)
    holding = {key: worth for key, worth in last.items() if worth.value}
    changed = await repository.say(connection, holding, last.keys() - holding.keys())
    return sorted({one.key.uscc for one in changed})


async def _judge(
    session: AsyncSession, connection: asyncpg.Connection, known: Known, tied: Collection[str],
    looked_at: Collection[str], ties: Sequence[Tie], causes: Mapping[str, outbox.Cause], clock: Clock,
) -> None:  # fmt: skip
    ended, new = await repository.tie(connection, ties)
    was, now = await repository.burdens(connection, looked_at), _burdens(known, looked_at)
    await repository.burden(connection, was, now)
    burdened = {uscc for uscc in looked_at if was.get(uscc) != now.get(uscc) or (uscc in tied and uscc in now)}
    moved = Moved(tied, burdened, ended, new)
    for key, worth in await _changed(connection, moved):
        session.info["cause"] = _cause(key, causes, moved)
        event = RelatedPartySignalled(
            indicator=cast(RelatedIndicator, key.indicator), record=key.record, value=worth.value, since=worth.since
        )
        outbox.add(session, event, subject=key.uscc, clock=clock)


def _burdens(known: Known, usccs: Collection[str]) -> dict[str, dict[str, date]]:
    """`domain.relatives.burdens_of` for each of these enterprises, by columns."""
    names = {packed.code(one.because): one.because for one in bearings()}
    rows = known.live.packed
    which = np.flatnonzero(np.isin(rows["indicator"], list(names)) & (rows["value"] > 0))
    found: dict[str, dict[str, date]] = {}
    for at in which.tolist():
        uscc, name = known.usccs[known.live.enterprise[at]], names[int(rows["indicator"][at])]
        if uscc in usccs:
            since = date.fromordinal(EPOCH + int(rows["legal_date"][at]))
            its = found.setdefault(uscc, {})
            its[name] = max(since, its.get(name, since))
    return found


async def _changed(connection: asyncpg.Connection, moved: Moved) -> list[Said]:
    """What is to be said now. Whoever else may judge one of these pairs shares a party with us, and waits; so does
    whoever counts at one of these addresses. What is read after the locks is what they have committed."""
    mine = await repository.ties_of(connection, {*moved.tied, *moved.burdened})
    ours = [*mine, *moved.ended]
    of_tied = parties(one for one in ours if one.uscc in moved.tied)
    of_burdened = parties(one for one in ours if one.uscc in moved.burdened)
    await repository.lock(connection, of_tied, of_burdened)
    here = addresses(one for one in ours if one.uscc in moved.tied)
    moves = Counter(dict.fromkeys(here, 0))
    moves.update(one.object for one in moved.new if one.role == ADDRESS)
    moves.subtract(one.object for one in moved.ended if one.role == ADDRESS)
    enterprises = await repository.count_addresses(connection, moves)
    crossed = {at for at in here if _level(enterprises[at]) != _level(enterprises[at] - moves[at])}

    neighbours = await repository.tied_to(connection, crossed)
    related = {
        *mine,
        *await repository.tied_to(connection, of_tied, burdened=True),
        *await repository.tied_to(connection, of_burdened),
    }
    burdens = await repository.burdens(connection, {one.uscc for one in related})
    at_addresses = {*neighbours, *(one for one in mine if one.role == ADDRESS and one.uscc in moved.tied)}
    holding = {
        **_in_scope(of_parties(related, burdens, bearings()), moved),
        **of_addresses(at_addresses, enterprises, thresholds()),
    }
    said = await repository.said(connection, moved.tied, moved.burdened, (DENSITY, {one.uscc for one in neighbours}))
    return await repository.say(
        connection,
        {key: worth for key, worth in holding.items() if said.get(key) != worth},
        said.keys() - holding.keys(),
    )


def _level(enterprises: int) -> int:
    return density(enterprises, thresholds())


def _in_scope(found: Signals, moved: Moved) -> Signals:
    """Of other pairs not every party was read."""
    return {key: worth for key, worth in found.items() if key.uscc in moved.tied or key.record in moved.burdened}


def _cause(key: Key, causes: Mapping[str, outbox.Cause], moved: Moved) -> outbox.Cause:
    """The event that changed it: of the other enterprise, of this one, or of one that came to its address or left."""
    for uscc in (key.record, key.uscc, *sorted(moved.tied)):
        if uscc in causes:
            return causes[uscc]
    raise AssertionError("nothing changes by itself")
