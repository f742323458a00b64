"""Alembic per service: one branch for the tables that all services have, one for the service's own."""

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path

import structlog
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, text

from libs.common.database import Database
from libs.common.tables import with_common_tables

log = structlog.get_logger()

ROOT = Path(__file__).parents[2]

ONE_AT_A_TIME = asyncio.Lock()
"""Alembic keeps what it works on in variables of its modules, so that services in one process take turns."""


def config(database: Database) -> Config:
    """Alembic's configuration for one service; no ini file is needed."""
    alembic = Config()
    folders = [ROOT / "libs/common/migrations", ROOT / f"services/{database.service}/migrations"]
    alembic.set_main_option("script_location", str(ROOT / "libs/common/alembic"))
    alembic.set_main_option("version_locations", "\n".join(map(str, folders)))
    alembic.set_main_option("path_separator", "newline")
    alembic.attributes["service"] = database.service
    return alembic


def metadata(service: str) -> MetaData:
    """How the service's database must look: its own tables, where it has any, and the common ones."""
    tables = f"services.{service}.tables"
    try:
        own = importlib.import_module(tables).metadata
    except ModuleNotFoundError as error:
        if not tables.startswith(error.name or "?"):
            raise
        own = MetaData()
    return with_common_tables(own)


async def migrate(database: Database) -> None:
    """Bring the database to the newest version. Several processes may start at once: one of them does it.

    Where a newer release has brought it further it stays as it is: a release only adds while the one before may still
    start, in a rolling deploy or when the newer one is taken back.
    """
    await _with_connection(database, _upgrade)


def _upgrade(alembic: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(alembic).walk_revisions()}
    stands = set(MigrationContext.configure(alembic.attributes["connection"]).get_current_heads())
    if newer := stands - known:
        log.warning("the schema is of a newer release", service=alembic.attributes["service"], revisions=sorted(newer))
    else:
        command.upgrade(alembic, "heads")


async def drift(database: Database) -> str | None:
    """A sentence about what the tables in code have and the migrations lack, or None."""
    try:
        await _with_connection(database, command.check)
    except CommandError as error:
        return str(error)
    return None


async def _with_connection(database: Database, act: Callable[[Config], object]) -> None:
    def run(connection: Connection) -> None:
        connection.execute(text("SET LOCAL statement_timeout = '60s'"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        # Alembic reads its scripts between two statements; on a busy machine that takes longer than a request may idle.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('one-window-migrate'))"))
        alembic = config(database)
        alembic.attributes["connection"] = connection
        act(alembic)

    async with ONE_AT_A_TIME, database.engine.begin() as connection:
        await connection.run_sync(run)


def run_environment() -> None:
    """What Alembic's env.py does: everything runs in the transaction that `migrate` opened."""
    alembic = context.config
    context.configure(
        connection=alembic.attributes["connection"],
        target_metadata=metadata(alembic.attributes["service"]),
        compare_server_default=True,
        transactional_ddl=True,
    )
    context.run_migrations()
