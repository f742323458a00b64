"""One database and one role per service: made here where an administrator's URL is given, and reached here."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.settings import Refused, Settings

SESSION_LIMITS = {
    # A frozen process must not keep its row locks longer than Kafka keeps it in the group (6 s).
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "5s",
    "statement_timeout": "5s",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A service's database. `said` wakes the relay when a transaction has committed events."""

    service: str
    url: URL
    engine: AsyncEngine
    said: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def dsn(self) -> str:
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)


def open_database(settings: Settings) -> Database:
    """Open the pool of a service; nothing is connected yet."""
    url = _service_url(settings).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=5,
        hide_parameters=True,  # names of people are among them, and errors are written to the log
        connect_args={"timeout": 5, "server_settings": {**SESSION_LIMITS, "application_name": settings.database_name}},
    )
    return Database(settings.service, url, engine)


async def connect(database: Database, **server_settings: str) -> asyncpg.Connection:
    """A connection of its own, outside the pool: for the relay's lock, copies and scans."""
    options = {"application_name": f"{database.url.database}-own", **server_settings}
    return await asyncpg.connect(database.dsn, timeout=5, server_settings=options)


async def raw(session: AsyncSession) -> asyncpg.Connection:
    """The asyncpg connection under a session, for statements that must be fast.

    SQLAlchemy opens the transaction with its own first statement, so one goes before.
    """
    connection = await session.connection()
    if not session.info.get("begun"):
        await connection.execute(sa.text("SELECT 1"))
        session.info["begun"] = True
    return await _driver(connection)


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A pooled connection for plain reads, without a transaction.

    SQLAlchemy takes no part in what is read here, and so never learns that a session was cut: that is seen to first.
    """
    async with database.engine.connect() as connection:
        if (await _driver(connection)).is_closed():
            await connection.invalidate()
        yield await _driver(connection)


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    return cast(asyncpg.Connection, (await connection.get_raw_connection()).driver_connection)


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a database error, or None for anything else (a lost connection has none)."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None)


RAISED_BY_THE_DATABASE = (
    sa.exc.SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # where a session is cut while the driver waits for its answer
    OSError, TimeoutError,
)  # fmt: skip


def is_database_error(error: BaseException) -> bool:
    """True for what the database, its driver or the way to it raised."""
    return isinstance(error, RAISED_BY_THE_DATABASE)


def _service_url(settings: Settings) -> URL:
    if settings.database_url is not None:
        return make_url(settings.database_url)
    if settings.administrator_url is None:
        name = settings.service.upper()
        raise Refused(f"{settings.service}: set {name}_DATABASE_URL, or DATABASE_URL of an administrator.")
    administrator = make_url(settings.administrator_url)
    return administrator.set(
        username=settings.database_name, password=_password(settings), database=settings.database_name
    )


def _password(settings: Settings) -> str | None:
    """Each role has its own password, derived from one secret; without a secret the server trusts local sockets."""
    if settings.database_password is None:
        return None
    return hashlib.sha256(f"{settings.database_password}:{settings.database_name}".encode()).hexdigest()


async def provision(settings: Settings) -> None:
    """Make the service's role and database where they are missing. Needs the administrator's URL."""
    if settings.administrator_url is None or settings.database_url is not None:
        return
    administrator = make_url(settings.administrator_url).set(drivername="postgresql")
    connection = await asyncpg.connect(administrator.render_as_string(hide_password=False), timeout=10)
    name, password = settings.database_name, _password(settings)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtext('one-window-provision'))")
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f'CREATE ROLE "{name}" LOGIN')
        # Otherwise the server's log repeats every row that a constraint refuses, names of people among them.
        await connection.execute(f"ALTER ROLE \"{name}\" SET log_error_verbosity = 'terse'")
        if password is not None:
            await connection.execute(f"ALTER ROLE \"{name}\" PASSWORD '{password}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
            await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    finally:
        await connection.close()
