"""One transaction from its first statement to its commit: rows, then events, then the word to the relay."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import crash, outbox
from libs.common.database import Database, is_database_error, sqlstate

T = TypeVar("T")
Act = Callable[[AsyncSession], Awaitable[T]]

ATTEMPTS = 3
SERIALIZATION = frozenset({"40001", "40P01"})
WAITED_LONG_ENOUGH = frozenset({"55P03", "57014"})
"""Lock and statement time-outs: who has waited five seconds is told so; waiting again only lengthens the queue."""

DEFINITE = frozenset({"22", "23", "40", "42", "P0"})


class CommitUnknown(Exception):
    """The connection was lost while COMMIT was under way: the effect is there as a whole, or not at all."""


class Unavailable(Exception):
    """The database could not be used, after as many attempts as are worth a person's wait. Nothing was written."""


async def once(database: Database, act: Act[T], cause: outbox.Cause | None = None, *, name: str = "command") -> T:
    """Run `act` in one transaction, write its events last, commit, wake the relay. `name` is its kind."""
    async with AsyncSession(database.engine, expire_on_commit=False) as session:
        session.info["cause"] = cause or outbox.Cause()
        result = await act(session)
        await session.flush()
        said = await outbox.write(session)
        crash.point(f"{name}.before_commit")
        try:
            await session.commit()
        except Exception as error:
            if is_database_error(error) and (sqlstate(error) or "")[:2] not in DEFINITE:
                raise CommitUnknown from error
            raise
    crash.point(f"{name}.after_commit")
    if said:
        database.said.set()
    return result


async def retried(
    database: Database, act: Act[T], new_cause: Callable[[], outbox.Cause] = outbox.Cause, *, name: str = "command"
) -> T:
    """As `once`, again after a deadlock, a serialization failure or a connection lost before COMMIT.

    `act` must be safe to run again: nothing of a failed run is left in the database.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await once(database, act, new_cause(), name=name)
        except Exception as error:
            if not _worth_retrying(error):
                raise
            if attempt == ATTEMPTS:
                raise Unavailable from error
            await asyncio.sleep(random.uniform(0.01, 0.05) * attempt)
    raise AssertionError("unreachable")


def _worth_retrying(error: Exception) -> bool:
    if not is_database_error(error):
        return False
    state = sqlstate(error)
    if state in WAITED_LONG_ENOUGH or isinstance(error, PoolTimeout):
        return False
    return state is None or state in SERIALIZATION or state[:2] in {"08", "53", "57", "25"}
