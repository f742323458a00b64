"""The acts on watch lists: made, renamed, shared and deleted by their owner, who also says what is watched."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from services.risk.repository import watch_lists as repository

WATCHED_AT_MOST = 10_000


class NoSuchWatchList(Exception):
    """There is none, or it is not the caller's."""


class WatchListChanged(Exception):
    """It is no longer the version that the caller has read."""


class NameTaken(Exception):
    """The caller has another list of this name."""


class NothingToWatch(Exception):
    """No enterprise of this USCC is scored."""


class WatchListFull(Exception):
    """A list holds WATCHED_AT_MOST enterprises."""


async def make_watch_list(session: AsyncSession, owner: str, name: str) -> Mapping[str, Any]:
    """A list without enterprises. Raises NameTaken."""
    row = await (await raw(session)).fetchrow(repository.ADD, uuid4(), owner, name)
    if row is None:
        raise NameTaken
    return dict(row)


async def change_watch_list(
    session: AsyncSession, owner: str, id: UUID, version: int, name: str | None, shared_with: Sequence[str] | None
) -> Mapping[str, Any]:
    """Rename it, or say anew with whom it is shared. Raises NoSuchWatchList, WatchListChanged, NameTaken."""
    connection = await raw(session)
    row = await _own(connection, owner, id, version)
    name = name or row["name"]
    if await connection.fetchval(repository.NAME_TAKEN, owner, name, id):
        raise NameTaken
    readers = row["shared_with"] if shared_with is None else sorted({*shared_with} - {owner})
    await connection.execute(repository.CHANGE, id, name, readers)
    return await _as_it_is(connection, owner, id)


async def delete_watch_list(session: AsyncSession, owner: str, id: UUID, version: int) -> Mapping[str, Any]:
    """The list as it was. Raises NoSuchWatchList, WatchListChanged."""
    connection = await raw(session)
    await _own(connection, owner, id, version)
    gone = await _as_it_is(connection, owner, id)
    await connection.execute(repository.DELETE, id)
    return gone


async def watch(session: AsyncSession, owner: str, id: UUID, uscc: str, clock: Clock) -> Mapping[str, Any]:
    """Put an enterprise on the list; one that is there stays. Raises NoSuchWatchList, NothingToWatch, WatchListFull."""
    connection = await raw(session)
    await _own(connection, owner, id)
    if not await connection.fetchval(repository.IS_SCORED, uscc):
        raise NothingToWatch
    await connection.execute(repository.WATCH, id, uscc, clock.now())
    if await connection.fetchval(repository.WATCHED, id) > WATCHED_AT_MOST:
        raise WatchListFull
    return await _as_it_is(connection, owner, id)


async def unwatch(session: AsyncSession, owner: str, id: UUID, uscc: str) -> Mapping[str, Any]:
    """Take an enterprise off the list, if it is there. Raises NoSuchWatchList."""
    connection = await raw(session)
    await _own(connection, owner, id)
    await connection.execute(repository.UNWATCH, id, uscc)
    return await _as_it_is(connection, owner, id)


async def _own(connection: asyncpg.Connection, owner: str, id: UUID, version: int | None = None) -> Mapping[str, Any]:
    row = await connection.fetchrow(repository.LOCKED, owner, id)
    if row is None:
        raise NoSuchWatchList
    if version is not None and row["version"] != version:
        raise WatchListChanged
    return dict(row)


async def _as_it_is(connection: asyncpg.Connection, owner: str, id: UUID) -> Mapping[str, Any]:
    row = await connection.fetchrow(repository.ONE, owner, id)
    assert row is not None, "locked in this transaction"
    return dict(row)
