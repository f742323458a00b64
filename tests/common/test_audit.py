"""The audit: rows come with their effect, are chained and published; whatever is done to them afterwards is found."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import audit, kafka
from libs.common.audit import heads
from libs.common.audit.chain import GENESIS, Finding, Row, Walk, link
from libs.common.audit.sealer import go_on_after_restore, is_behind, seal, sealer
from libs.common.audit.verification import Verification, verify
from libs.common.clock import BusinessClock
from libs.common.database import Database, open_database, provision, reading
from libs.common.identity import Caller
from libs.common.migration import migrate
from libs.common.service import find
from libs.common.settings import Settings
from libs.common.transaction import once
from tests.spine import Spine, eventually

CLOCK = BusinessClock(date(2026, 1, 5))
OFFICER = Caller("registrar-1", frozenset({"registrar"}))


def sealed(entries: Sequence[str]) -> list[Row]:
    rows, previous = [], GENESIS
    for number, object in enumerate(entries, 1):
        entry = audit.encode({"actor": "registrar-1", "object": object})
        previous = link(previous, number, entry)
        rows.append(Row(number, previous, entry, "registrar-1", object))
    return rows


def walked(rows: Sequence[Row], published: dict[int, bytes]) -> Finding | None:
    walk = Walk(published)
    return next((finding for row in rows if (finding := walk.take(row))), None)


def test_the_hash_of_a_row_is_what_anyone_can_compute_from_its_bytes() -> None:
    assert link(GENESIS, 1, b"{}").hex() == "1bad765d926feacace97a8ddcd329a1f4254c208affc1ba86b3c7d59e8fba83e"


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.data())
def test_no_row_can_be_changed_moved_put_in_or_taken_out_of_a_published_chain(
    entries: list[str], data: st.DataObject
) -> None:
    rows = sealed(entries)
    published = {len(rows): rows[-1].hash}
    assert walked(rows, published) is None
    at = data.draw(st.integers(0, len(rows) - 1))
    edited = rows[at]._replace(object="z", entry=audit.encode({"actor": "registrar-1", "object": "z"}))
    assert walked([*rows[:at], edited, *rows[at + 1 :]], published) == Finding("edited", at + 1)
    if at + 1 < len(rows):
        assert walked([*rows[:at], *rows[at + 1 :]], published) == Finding("missing", at + 1)
    swap = [*rows[:at], rows[at]._replace(number=at + 2), *rows[at + 1 :]]
    assert walked(sorted(swap, key=lambda row: row.number), published) is not None
    put_in = sealed([*entries[:at], "z", *entries[at:]])
    assert walked(put_in, published) == Finding("rewritten", 1), "whole in itself, and not what was published"


def test_a_row_is_found_only_under_what_its_entry_says() -> None:
    [row] = sealed(["a"])
    assert walked([row._replace(object="b")], {}) == Finding("edited", 1)
    assert walked([row._replace(actor=None)], {}) == Finding("edited", 1)


@dataclass(frozen=True)
class Audited:
    """The audit of a service, with nobody else at it."""

    name: str
    settings: Settings
    database: Database
    look: asyncpg.Connection
    """An administrator's connection."""

    async def write(self, count: int) -> None:
        for n in range(count):
            add = partial(audit.add, caller=OFFICER, action="act", object=f"/v1/things/{n}", clock=CLOCK)
            await once(self.database, add)

    async def seal_and_publish(self) -> None:
        """As long as a sealer needs to publish all there is."""
        stop = asyncio.Event()
        leading = asyncio.create_task(sealer(self.database, self.settings, stop))
        await eventually(self._all_published)
        stop.set()
        await leading

    async def _all_published(self) -> bool:
        unsealed = await self.look.fetchval("SELECT count(*) FROM audit WHERE number IS NULL")
        return not unsealed and await self.look.fetchval("SELECT published = count FROM audit_head")

    async def verify(self, lost_events: int = 0, last: int | None = None) -> Verification:
        async def lost() -> list[int]:
            return list(range(lost_events))

        return await verify(self.database, self.settings, lost, last=last)

    @contextlib.asynccontextmanager
    async def changed(self, *statements: str) -> AsyncIterator[None]:
        """The audit as somebody leaves it who owns the database and its triggers; put right at the end."""
        for table in ("audit", "audit_head"):
            await self.look.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")
        await self.look.execute("SET session_replication_role = replica")
        try:
            for statement in statements:
                assert await self.look.execute(statement) not in ("UPDATE 0", "DELETE 0", "INSERT 0 0")
            yield
        finally:
            for table in ("audit", "audit_head"):
                await self.look.execute(f"TRUNCATE {table}")
                await self.look.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
                await self.look.execute(f"DROP TABLE kept_{table}")
            await self.look.execute("SET session_replication_role = DEFAULT")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["registration", "risk"])
async def audited(spine: Spine, request: pytest.FixtureRequest) -> AsyncIterator[Audited]:
    """Ten published rows."""
    with spine.as_environment():
        settings = find(request.param).load_settings()
    await provision(settings)
    database = open_database(settings)
    await migrate(database)
    await kafka.create_topics(settings, [settings.topic(heads.TOPIC)])
    async with spine.database(request.param) as look:
        one = Audited(request.param, settings, database, look)
        await one.write(4)
        await one.seal_and_publish()
        await one.write(6)
        await one.seal_and_publish()
        yield one
    await database.engine.dispose()


async def test_rows_are_numbered_without_gaps_and_their_head_is_published(audited: Audited) -> None:
    found = await audited.verify()
    assert (found.verdict, found.checked_to, found.proved_to, found.unsealed) == ("intact", 10, 10, 0)
    assert set(await heads.published(audited.settings)) == {4, 10}
    assert (await heads.last(audited.settings)).number == 10
    bounded = await audited.verify(last=3)
    assert (bounded.verdict, bounded.checked_from, bounded.checked_to) == ("intact", 8, 10)


async def test_a_transaction_that_is_rolled_back_leaves_no_row(audited: Audited) -> None:
    async def fails(session: AsyncSession) -> None:
        await audit.add(session, OFFICER, "act", "/v1/never", CLOCK)
        raise LookupError

    with pytest.raises(LookupError):
        await once(audited.database, fails)
    assert await audited.look.fetchval("SELECT count(*) FROM audit") == 10


SWAP = """
UPDATE audit a SET entry = b.entry, actor = b.actor, object = b.object FROM audit b
WHERE a.number IN (6, 7) AND b.number = 13 - a.number
"""
SWAP_NUMBERS = "UPDATE audit SET number = -number WHERE number IN (6, 7)"
SWAPPED_NUMBERS = "UPDATE audit SET number = 13 + number WHERE number < 0"
PUT_IN = (
    "UPDATE audit SET number = -number - 1 WHERE number >= 6",
    "UPDATE audit SET number = -number WHERE number < 0",
    "INSERT INTO audit (entry, actor, object, number, hash) SELECT entry, actor, object, 6, hash FROM audit"
    " WHERE number = 3",
)
EDIT = """
UPDATE audit SET entry = convert_to(replace(convert_from(entry, 'UTF8'), 'registrar-1', 'registrar-2'), 'UTF8'),
    actor = 'registrar-2' WHERE number = 6
"""


@pytest.mark.parametrize(
    ("statements", "what", "first"),
    [
        ([EDIT], "edited", 6),
        (["UPDATE audit SET actor = 'somebody' WHERE number = 6"], "edited", 6),
        (["UPDATE audit SET hash = sha256('x') WHERE number = 6"], "edited", 6),
        (["DELETE FROM audit WHERE number = 6"], "missing", 6),
        (["DELETE FROM audit WHERE number = 1"], "missing", 1),
        ([SWAP], "edited", 6),
        ([SWAP_NUMBERS, SWAPPED_NUMBERS], "edited", 6),
        (PUT_IN, "edited", 6),
        (["DELETE FROM audit WHERE number > 7"], "truncated", 8),
        (["DELETE FROM audit"], "truncated", 1),
    ],
    ids=[
        "edit", "hide-from-search", "hash", "delete", "delete-first", "swap-contents", "swap-numbers", "insert",
        "truncate", "delete-all",
    ],
)  # fmt: skip
async def test_what_an_owner_of_the_database_does_to_a_row_is_found_with_its_number(
    audited: Audited, statements: Sequence[str], what: str, first: int
) -> None:
    async with audited.changed(*statements):
        found = await audited.verify(lost_events=1)
    assert (found.verdict, found.what, found.first) == ("tampered", what, first)
    assert str(first) in found.sentence("en")
    assert str(first) in found.sentence("zh")
    assert (await audited.verify()).verdict == "intact"


async def sealed_again(look: asyncpg.Connection, after: int) -> None:
    """Number and hash the rows anew, as a forger does who knows how."""
    previous = await look.fetchval("SELECT hash FROM audit WHERE number = $1", after) or GENESIS
    rows = await look.fetch("SELECT id, entry FROM audit WHERE number > $1 ORDER BY number", after)
    await look.execute("UPDATE audit SET number = -number WHERE number > $1", after)
    for number, row in enumerate(rows, after + 1):
        previous = link(previous, number, row["entry"])
        await look.execute("UPDATE audit SET number = $2, hash = $3 WHERE id = $1", row["id"], number, previous)
    await look.execute("UPDATE audit_head SET count = $1, hash = $2", after + len(rows), previous)


@pytest.mark.parametrize(
    ("forgery", "what", "first"),
    [(EDIT, "rewritten", 5), ("DELETE FROM audit WHERE number = 6", "truncated", 10)],
    ids=["edit", "delete"],
)
async def test_a_chain_that_is_forged_to_its_end_is_not_the_published_one(
    audited: Audited, forgery: str, what: str, first: int
) -> None:
    """Between two published heads nobody can say which row: the first that no head confirms is named."""
    async with audited.changed(forgery):
        await sealed_again(audited.look, 5)
        found = await audited.verify()
    assert (found.verdict, found.what, found.first) == ("tampered", what, first)


OLDER = "DELETE FROM audit WHERE number > 4"


async def as_restored(audited: Audited) -> None:
    """The audit as it was when its first head was published."""
    [row] = await audited.look.fetch("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
    await audited.look.execute("UPDATE audit_head SET count = $1, hash = $2, published = $1", *row)


async def test_an_older_database_is_told_from_one_whose_newest_rows_were_deleted(audited: Audited) -> None:
    async with audited.changed(OLDER):
        await as_restored(audited)
        restored = await audited.verify(lost_events=2)
        only_audit = await audited.verify(lost_events=0)
    assert (restored.verdict, restored.first, restored.lost_events) == ("restored", 5, 2)
    assert (only_audit.verdict, only_audit.what, only_audit.first) == ("tampered", "truncated", 5)


async def test_an_older_database_seals_nothing_until_it_is_reconciled(audited: Audited) -> None:
    async with audited.changed(OLDER):
        await as_restored(audited)
        await audited.write(1)
        stop = asyncio.Event()
        leading = asyncio.create_task(sealer(audited.database, audited.settings, stop))
        await asyncio.sleep(2)
        assert await audited.look.fetchval("SELECT max(number) FROM audit") == 4
        stop.set()
        await leading


@pytest.mark.parametrize("adopted", [3, 0], ids=["restored", "only-the-audit-is-older"])
async def test_after_a_reconciliation_the_chain_goes_on_and_says_what_is_lost(audited: Audited, adopted: int) -> None:
    published = await heads.last(audited.settings)
    async with audited.changed(OLDER):
        await as_restored(audited)
        await audited.write(1)
        async with audited.look.transaction():
            lost = await go_on_after_restore(audited.look, audited.name, published, adopted, CLOCK)
        assert lost == 6
        assert not await is_behind(audited.look, published)
        while (await seal(audited.look))[1]:
            pass
        found = await audited.verify()
        assert await audited.look.fetchval("SELECT max(number) FROM audit") == 12
        async with audited.look.transaction():
            assert await go_on_after_restore(audited.look, audited.name, published, adopted, CLOCK) == 0
    if adopted:
        assert (found.verdict, found.checked_to) == ("intact", 12)
        assert [(one.lost_from, one.lost_to) for one in found.restores] == [(5, 10)]
    else:
        assert (found.verdict, found.what, found.first) == ("tampered", "truncated", 5), "that nobody can talk away"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET entry = '' WHERE number = 3",
        "UPDATE audit SET number = 99 WHERE number = 3",
        "UPDATE audit SET number = NULL, hash = NULL WHERE number = 3",
        "INSERT INTO audit (entry, object, number, hash) VALUES ('', '', 99, '')",
        "TRUNCATE audit",
    ],
)
async def test_the_service_itself_cannot_change_what_it_has_recorded(audited: Audited, statement: str) -> None:
    connection = await asyncpg.connect(audited.database.dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="sealed once"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_look_is_recorded_with_its_purpose(audited: Audited) -> None:
    seen = "/v1/enterprises/91310106MA0000015B/risk"
    async with reading(audited.database) as connection:
        await audit.insert(connection, OFFICER, "look", seen, CLOCK, purpose="case_handling")
    await audited.seal_and_publish()
    entry = await audited.look.fetchval("SELECT convert_from(entry, 'UTF8') FROM audit ORDER BY number DESC LIMIT 1")
    assert '"action":"look"' in entry
    assert '"purpose":"case_handling"' in entry
    assert (await audited.verify()).verdict == "intact"


async def test_a_row_that_commits_late_is_numbered_when_it_is_seen(audited: Audited) -> None:
    before = await audited.look.fetchval("SELECT max(number) FROM audit")
    slow = await asyncpg.connect(audited.database.dsn)
    try:
        async with slow.transaction():
            await audit.insert(slow, OFFICER, "act", "/v1/slow", CLOCK)
            await audited.write(2)
            await audited.seal_and_publish()
        await audited.seal_and_publish()
    finally:
        await slow.close()
    rows = await audited.look.fetch("SELECT number, object FROM audit WHERE number > $1 ORDER BY number", before)
    assert [row["object"] for row in rows] == ["/v1/things/0", "/v1/things/1", "/v1/slow"]
    assert [row["number"] for row in rows] == [before + 1, before + 2, before + 3]
    assert (await audited.verify()).verdict == "intact"
