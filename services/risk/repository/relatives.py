"""Named queries over ties, burdens and what was signalled of them, all of them in bulk."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.risk.domain.relatives import ADDRESS, NOBODY, Key, Signals, Tie, Worth, newest_ties

BUCKETS = 64

# What is said anew of a role ends what an earlier event said of it, and is not kept where a later one is there already.
UNTIE = """
DELETE FROM tie t USING (SELECT DISTINCT u, r, n FROM unnest($1::text[], $2::text[], $3::bigint[]) AS s(u, r, n)) s
WHERE t.uscc = s.u AND t.role = s.r AND t.sequence < s.n RETURNING t.uscc, t.role, t.object, t.sequence, t.since
"""
TIE = """
INSERT INTO tie AS t (uscc, role, object, sequence, since)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::date[]) AS s(u, r, o, n, d)
WHERE NOT EXISTS (SELECT 1 FROM tie later WHERE later.uscc = s.u AND later.role = s.r AND later.sequence > s.n)
ON CONFLICT DO NOTHING RETURNING t.uscc, t.role, t.object, t.sequence, t.since
"""
TIES_OF = f"""
SELECT uscc, role, object, sequence, since FROM tie WHERE uscc = ANY($1::text[]) AND object <> '{NOBODY}'
"""
TIED_TO = "SELECT uscc, role, object, sequence, since FROM tie WHERE object = ANY($1::uuid[])"
BURDENED = f"{TIED_TO} AND EXISTS (SELECT 1 FROM burden WHERE burden.uscc = tie.uscc)"
# By bucket, in one order and each in its stronger mode, so that nobody waits for one who waits for him. Statements
# after this one see what whoever held them has committed.
LOCK = """
SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(hashtext('one-window-parties'), bucket)::text
    ELSE pg_advisory_xact_lock_shared(hashtext('one-window-parties'), bucket)::text END)
FROM (SELECT * FROM unnest($1::int[], $2::bool[]) AS b(bucket, alone) ORDER BY bucket) each
"""
COUNT_ADDRESSES = """
INSERT INTO shared_address AS a (address, enterprises)
SELECT * FROM unnest($1::uuid[], $2::int[]) AS d(address, more) ORDER BY 1
ON CONFLICT (address) DO UPDATE SET enterprises = a.enterprises + excluded.enterprises RETURNING address, enterprises
"""
BURDENS = "SELECT uscc, indicator, since FROM burden WHERE uscc = ANY($1::text[])"
LIFT = "DELETE FROM burden WHERE (uscc, indicator) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
BURDEN = """
INSERT INTO burden (uscc, indicator, since) SELECT * FROM unnest($1::text[], $2::text[], $3::date[])
ON CONFLICT (uscc, indicator) DO UPDATE SET since = excluded.since
"""
SAID = """
SELECT uscc, indicator, record, value, since FROM related_signal
WHERE uscc = ANY($1::text[]) OR record = ANY($2::text[]) OR (uscc = ANY($3::text[]) AND indicator = $4)
"""
# Whoever changes a row says so, and nobody else.
SAY = """
INSERT INTO related_signal AS s (uscc, indicator, record, value, since)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::date[]) AS n(u, i, r, v, d) ORDER BY u, i, r
ON CONFLICT (uscc, indicator, record) DO UPDATE SET value = excluded.value, since = excluded.since
WHERE (s.value, s.since) <> (excluded.value, excluded.since) RETURNING uscc, indicator, record, value, since
"""
TAKE_BACK = """
DELETE FROM related_signal s USING unnest($1::text[], $2::text[], $3::text[]) AS n(u, i, r)
WHERE s.uscc = n.u AND s.indicator = n.i AND s.record = n.r RETURNING s.uscc, s.indicator, s.record, 0, s.since
"""
TOLD = "SELECT subject, data FROM outbox WHERE subject = ANY($1::text[]) AND type = $2 ORDER BY subject, sequence"


class Said(NamedTuple):
    """A signal as it is said: value 0 where it holds no more."""

    key: Key
    worth: Worth


async def tie(connection: asyncpg.Connection, stated: Sequence[Tie]) -> tuple[list[Tie], list[Tie]]:
    """Keep what holds of these ties; which ended by them, and which are new."""
    if not stated:
        return [], []
    usccs, roles, objects, sequences, dates = map(list, zip(*sorted(newest_ties(stated)), strict=True))
    ended = []
    if max(sequences) > 1:  # what the first event says of an enterprise ends nothing
        ended = [Tie(*row) for row in await connection.fetch(UNTIE, usccs, roles, sequences)]
    new = [Tie(*row) for row in await connection.fetch(TIE, usccs, roles, objects, sequences, dates)]
    return [one for one in ended if one.object != NOBODY], [one for one in new if one.object != NOBODY]


async def ties_of(connection: asyncpg.Connection, usccs: Collection[str]) -> list[Tie]:
    return [Tie(*row) for row in await connection.fetch(TIES_OF, list(usccs))] if usccs else []


async def tied_to(connection: asyncpg.Connection, objects: Collection[UUID], *, burdened: bool = False) -> list[Tie]:
    """Everyone behind whom these parties stand, or who is at these addresses; just those burdened, if so."""
    if not objects:
        return []
    return [Tie(*row) for row in await connection.fetch(BURDENED if burdened else TIED_TO, list(objects))]


async def lock(connection: asyncpg.Connection, shared: Iterable[UUID], alone: Iterable[UUID]) -> None:
    """Until this transaction ends nobody else has these parties: `alone` at all, `shared` alone."""
    wanted = {party.int % BUCKETS: False for party in shared} | {party.int % BUCKETS: True for party in alone}
    if wanted:
        await connection.fetchval(LOCK, list(wanted), list(wanted.values()))


async def count_addresses(connection: asyncpg.Connection, moves: Mapping[UUID, int]) -> dict[UUID, int]:
    """Count enterprises in and out; how many there are at each of these addresses, which are locked from here on."""
    if not moves:
        return {}
    rows = await connection.fetch(COUNT_ADDRESSES, list(moves), list(moves.values()))
    return {row["address"]: row["enterprises"] for row in rows}


async def burdens(connection: asyncpg.Connection, usccs: Collection[str]) -> dict[str, dict[str, date]]:
    found: dict[str, dict[str, date]] = {}
    for uscc, indicator, since in await connection.fetch(BURDENS, list(usccs)):
        found.setdefault(uscc, {})[indicator] = since
    return found


async def burden(
    connection: asyncpg.Connection, was: Mapping[str, Mapping[str, date]], now: Mapping[str, Mapping[str, date]]
) -> None:
    """Write what burdens these enterprises in place of what did."""
    lifted = [(uscc, name) for uscc, names in was.items() for name in names if name not in now.get(uscc, {})]
    laid = [(uscc, name, since) for uscc, names in now.items() for name, since in names.items()]
    if lifted:
        await connection.execute(LIFT, *map(list, zip(*lifted, strict=True)))
    if laid:
        await connection.execute(BURDEN, *map(list, zip(*laid, strict=True)))


async def said(
    connection: asyncpg.Connection,
    usccs: Collection[str],
    records: Collection[str],
    density: tuple[str, Collection[str]],
) -> Signals:
    """What was said last: to `usccs` of anything, to anyone of `records`, and of the indicator `density` to its own."""
    indicator, to = density
    rows = await connection.fetch(SAID, list(usccs), list(records), list(to), indicator)
    return {Key(*row[:3]): Worth(*row[3:]) for row in rows}


async def say(connection: asyncpg.Connection, holding: Signals, ended: Collection[Key]) -> list[Said]:
    """Keep these as said last; those that were not, which the caller has to say now."""
    changed = []
    if holding:
        columns = map(list, zip(*((*key, *worth) for key, worth in holding.items()), strict=True))
        changed += await connection.fetch(SAY, *columns)
    if ended:
        changed += await connection.fetch(TAKE_BACK, *map(list, zip(*sorted(ended), strict=True)))
    return sorted(Said(Key(*row[:3]), Worth(*row[3:])) for row in changed)


def addresses(ties: Iterable[Tie]) -> set[UUID]:
    return {one.object for one in ties if one.role == ADDRESS}


def parties(ties: Iterable[Tie]) -> set[UUID]:
    return {one.object for one in ties if one.role != ADDRESS}
