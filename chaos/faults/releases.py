"""Faults of operation: replays, databases that come back as they were, and a new release beside the old one."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import sys
import time
from pathlib import Path

from chaos.cluster import Cluster
from chaos.faults.fault import NotReached, Over
from chaos.faults.processes import STOPPING_SECONDS, ended, ready
from deploy.local.services import ServiceProcess
from deploy.local.stack import CHECKOUT

NEXT_MIGRATION = '''"""What the next release adds"""

import sqlalchemy as sa
from alembic import op

revision = "common_next"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("next_release", sa.Text(), nullable=True))
    op.add_column("position", sa.Column("next_release", sa.Text(), nullable=False, server_default="none"))


def downgrade() -> None:
    raise NotImplementedError
'''
RECONCILE_SECONDS, SAYING_SECONDS = 90.0, 40.0
SENT = "SELECT coalesce(max(high), 0) FROM relay_progress"
KNOWN = f"SELECT greatest(coalesce(max(id), 0), ({SENT})) FROM outbox"


async def replayed(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """A group goes back to the beginning of everything it hears of other services."""
    with cluster.handled(service) as process:
        await ended(process, rng)
        async with cluster.database(service) as connection:
            back = await connection.fetchval(
                "WITH moved AS (UPDATE position p SET next_offset = 0 FROM position was"
                " WHERE (was.topic, was.partition) = (p.topic, p.partition) AND p.topic LIKE '%.events'"
                " RETURNING was.next_offset) SELECT coalesce(sum(next_offset), 0) FROM moved"
            )
        process.start()
    return Over(f"{back} records read again from zero")


async def restored(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """A service's database comes back as it was some seconds ago; it is reconciled by the documented command.

    The service has said something since: events that the copy lacks are what tells a restore from a truncated audit.
    """
    name = f"{cluster.namespace}{service}"
    with cluster.handled(service) as process:
        await ended(process, rng)
        async with cluster.database() as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}_copy" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}" OWNER "{name}"')
        back_to = time.monotonic()
        await ready(process)
        await asyncio.sleep(rng.uniform(4, 8))
        await _has_said_more(cluster, service)
        await ended(process, rng)
        async with cluster.database() as connection:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            await connection.execute(f'ALTER DATABASE "{name}_copy" RENAME TO "{name}"')
        told = await reconciled(cluster, service)
        process.start()
    return Over(f"restored to {time.monotonic() - back_to:.0f} s before; {told}", back_to=back_to)


async def _has_said_more(cluster: Cluster, service: str) -> None:
    """Wait until the relay has sent more than the copy knows of. Raises NotReached where nothing is said for long."""
    async with cluster.database(f"{service}_copy") as connection:
        known = await connection.fetchval(KNOWN)
    deadline = time.monotonic() + SAYING_SECONDS
    while time.monotonic() < deadline:
        async with cluster.database(service) as connection:
            if await connection.fetchval(SENT) > known:
                return
        await asyncio.sleep(0.5)
    raise NotReached(f"{service} has said nothing since the copy")


async def reconciled(cluster: Cluster, service: str) -> str:
    """Run the operator's command until it has worked; what it said last."""
    deadline = time.monotonic() + RECONCILE_SECONDS
    while time.monotonic() < deadline:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "libs.common.relay", "reconcile", service,
            cwd=CHECKOUT, env=cluster.whole_environment(service), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode == 0:
            return next((line for line in out.decode().splitlines() if "adopted" in line), "").partition(": ")[2]
        await asyncio.sleep(1)
    raise RuntimeError(f"reconcile {service} failed: {out.decode()[-500:]}")


async def deployed_beside(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """A release with a newer schema starts beside this one; then this one starts again on that schema, and stays."""
    release = await asyncio.to_thread(next_release, cluster.folder)
    with cluster.handled(service) as old:
        new = ServiceProcess(
            service, cluster.environment(service), cluster.folder / f"{service}-next.log", checkout=release
        )
        cluster.processes[f"{service}-2"] = new
        try:
            await ready(new)
            await asyncio.sleep(rng.uniform(1, 4))
            await ended(old, rng)
            await asyncio.sleep(rng.uniform(1, 4))
            await ready(old)
        finally:
            await asyncio.to_thread(new.stop, STOPPING_SECONDS)
            del cluster.processes[f"{service}-2"]
    return Over("the next release came and went, its schema stays")


def next_release(folder: Path) -> Path:
    """A copy of the services with one more migration, which only adds; made once."""
    release = folder / "next-release"
    if not release.exists():
        new = release.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        for part in ("libs", "services"):
            shutil.copytree(CHECKOUT / part, new / part, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        migrations = new / "libs/common/migrations"
        texts = [file.read_text() for file in migrations.glob("common_*.py")]
        [head] = {match for text in texts for match in re.findall(r'^revision = "(\w+)"', text, re.M)} - {
            match for text in texts for match in re.findall(r'^down_revision = "(\w+)"', text, re.M)
        }
        (migrations / "common_next.py").write_text(NEXT_MIGRATION.format(head=head))
        new.rename(release)
    return release
