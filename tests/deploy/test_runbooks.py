"""Each alert once: its condition is made true on running services and crosses the bound that the alert names; what its
runbook says is done, and the alert is over."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from chaos.cluster import small_disk
from deploy.local.keyrings import signing_keys
from deploy.local.services import DEMO_START, ServiceProcess
from deploy.local.stack import CHECKOUT
from libs.common import signature, time_travel
from tests.deploy.site import EXPRESSIONS, Site
from tests.faults.topics import Record, changed_address, event, new_uscc, put, registered
from tests.spine import Spine, eventually, get, submit


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(spine: Spine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    keys, disk = folder / "keys", folder / "disk"
    keys.mkdir()
    disk.mkdir()
    shutil.copy(signing_keys() / "registration.json", keys)
    with ExitStack() as mounted:
        small = mounted.enter_context(small_disk(disk, megabytes=8))
        registration, risk = (spine.service(name) for name in ("registration", "risk"))
        registration.start(WATCHED_DISK=str(disk), SIGNING_KEYS=str(keys))
        risk.start(WATCHED_DISK=str(folder))
        for one in (registration, risk):
            await asyncio.to_thread(one.wait_ready)
        yield Site(spine, disk if small else None, keys, {"registration": registration, "risk": risk})


@asynccontextmanager
async def service_down(site: Site) -> AsyncIterator[None]:
    site.spine.service("risk").kill()
    yield
    await asyncio.to_thread(site.spine.service("risk").start().wait_ready)


async def database_open(site: Site, allowed: bool) -> None:
    name = f"{site.spine.namespace}registration"
    connection = await asyncpg.connect(site.spine.stack.database_url)
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')
        if not allowed:
            await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await connection.close()


@asynccontextmanager
async def database_down(site: Site) -> AsyncIterator[None]:
    await database_open(site, False)
    try:
        yield
    finally:
        await database_open(site, True)


@asynccontextmanager
async def leads_instead(site: Site, what: str) -> AsyncIterator[None]:
    """A session of somebody else holds what the relay or the sealer leads by."""
    lock = f"hashtextextended('one-window-{what}', 0)"
    async with site.session("registration") as connection:
        waiting = asyncio.ensure_future(connection.execute(f"SELECT pg_advisory_lock({lock})"))
        await asyncio.sleep(0.2)
        async with site.spine.database("registration") as administrator:
            while not waiting.done():
                await administrator.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND (classid::bigint << 32 | objid::bigint) = " + lock + " AND pid <> $1"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                    connection.get_server_pid(),
                )
                await asyncio.wait([waiting], timeout=0.2)
        yield


@asynccontextmanager
async def relay_leader_missing(site: Site) -> AsyncIterator[None]:
    async with leads_instead(site, "relay"):
        yield
        await site.end_sessions("RelayLeaderMissing", "registration")


@asynccontextmanager
async def outbox_late(site: Site) -> AsyncIterator[None]:
    async with leads_instead(site, "relay"):
        await submit(site.spine)
        async with site.spine.database("registration") as connection:
            await connection.execute(
                "UPDATE outbox SET created_at = created_at - interval '2 minutes'"
                " WHERE id > (SELECT high FROM relay_progress)"
            )
        yield
        await site.end_sessions("RelayLeaderMissing", "registration")


@asynccontextmanager
async def audit_head_late(site: Site) -> AsyncIterator[None]:
    async with leads_instead(site, "audit"):
        await submit(site.spine)
        async with site.spine.database("registration") as connection:
            await connection.execute("SET session_replication_role = replica")  # the trigger looks away
            await connection.execute("UPDATE audit SET at = at - interval '1 minute' WHERE number IS NULL")
        yield
        await site.end_sessions("AuditHeadLate", "registration")


@asynccontextmanager
async def consumer_late(site: Site) -> AsyncIterator[None]:
    subject = new_uscc()
    async with site.session("risk", "LOCK TABLE mark IN ACCESS EXCLUSIVE MODE"):
        unread = "registration.nobody_reads_this.v1"
        await put(site.spine, *(event(subject, number, {}, type=unread) for number in range(1, 1_101)))
        yield
        await site.log_tells("ConsumerLate", "risk", "batch will be taken again")
        await site.end_sessions("ConsumerLate", "risk")


@asynccontextmanager
async def consumer_paused(site: Site) -> AsyncIterator[None]:
    async with site.spine.database("risk") as connection:
        await connection.execute("ALTER TABLE fact_sheet ADD CONSTRAINT bug CHECK (false) NOT VALID")
        await put(site.spine, *(registered(new_uscc()) for _ in range(200)))
        yield
        assert "bug" in await site.follow("ConsumerPaused", "list", SERVICE="risk")
        await connection.execute("ALTER TABLE fact_sheet DROP CONSTRAINT bug")
        await site.follow("ConsumerPaused", "resume", SERVICE="risk")
    await eventually(lambda: site.is_quiet("EventsFailed"))


@asynccontextmanager
async def events_failed(site: Site) -> AsyncIterator[None]:
    uscc = new_uscc()
    await put(site.spine, registered(uscc), replace(changed_address(uscc, 2), value=b"{"))
    yield
    named = {"SERVICE": "risk", "SUBJECT": uscc, "SEQUENCE": "2"}
    assert "failed" in await site.follow("EventsFailed", "show", **named)
    await site.follow("EventsFailed", "retry", **named)
    await site.follow("EventsFailed", "drop", **named)


@asynccontextmanager
async def events_waiting(site: Site) -> AsyncIterator[None]:
    uscc = new_uscc()
    await put(site.spine, registered(uscc), changed_address(uscc, 3))
    yield
    assert uscc in await site.follow("EventsWaiting", "list", SERVICE="risk")
    await site.follow("EventsWaiting", "skip-to", SERVICE="risk", SUBJECT=uscc, SEQUENCE="3")


@asynccontextmanager
async def events_forked(site: Site) -> AsyncIterator[None]:
    uscc, rival = new_uscc(), uuid4()
    await put(site.spine, registered(uscc), changed_address(uscc, 2), changed_address(uscc, 2, id=rival))
    yield
    await site.follow("EventsForked", "drop", SERVICE="risk", SUBJECT=uscc, SEQUENCE="2", ID=str(rival))


@asynccontextmanager
async def dead_letters(site: Site) -> AsyncIterator[None]:
    await put(site.spine, Record(0, b"nobody", b"{"))
    yield
    async with site.spine.database("risk") as connection:
        [row] = await connection.fetch('SELECT cause, topic, partition, "offset", key, value FROM dead_letter')
    assert row["cause"]
    assert (row["key"], row["value"]) == (b"nobody", b"{")


@asynccontextmanager
async def due_failing(site: Site) -> AsyncIterator[None]:
    async with site.spine.database("registration") as connection:
        await connection.execute("ALTER TABLE draft RENAME TO draft_away")
        await connection.execute("INSERT INTO due VALUES ('draft_ends', $1, $2)", str(uuid4()), DEMO_START)
        yield
        assert "draft_ends" in await site.follow("DueFailing", "list", SERVICE="registration")
        await connection.execute("ALTER TABLE draft_away RENAME TO draft")


@asynccontextmanager
async def due_late(site: Site) -> AsyncIterator[None]:
    async with site.spine.database("registration") as connection:
        on = DEMO_START + timedelta(days=1)
        await connection.execute("INSERT INTO due VALUES ('draft_ends', $1, $2)", str(uuid4()), on)
    async with site.session("registration", "LOCK TABLE due IN EXCLUSIVE MODE"):
        to = DEMO_START + timedelta(days=4)
        await time_travel.advance(site.spine.stack.bootstrap_servers, site.spine.namespace, to)
        yield
        await site.log_tells("DueLate", "registration", "ticker waits for its database")
        await site.end_sessions("DueLate", "registration")


@asynccontextmanager
async def clock_off(site: Site) -> AsyncIterator[None]:
    name = f"{site.spine.namespace}registration"
    async with site.spine.database("registration") as connection:
        await connection.execute(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql"
            " AS $$ SELECT pg_catalog.clock_timestamp() + interval '10 s' $$"
        )
        await connection.execute(f'ALTER ROLE "{name}" SET search_path = public, pg_catalog')
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", name)
        yield
        await connection.execute(f'ALTER ROLE "{name}" RESET search_path')
        await connection.execute("DROP FUNCTION public.clock_timestamp()")


@asynccontextmanager
async def clock_records_ignored(site: Site) -> AsyncIterator[None]:
    await put(site.spine, Record(0, b"business-date", b"tomorrow"), topic="clock.events")
    yield
    await site.log_tells("ClockRecordsIgnored", "registration", "it moves no clock")
    to, urls = DEMO_START + timedelta(days=5), [one.url for one in site.members.values()]
    assert to.isoformat() in await site.follow("ClockRecordsIgnored", "time_travel", DATE=f"{to} {' '.join(urls)}")


@asynccontextmanager
async def disk_nearly_full(site: Site) -> AsyncIterator[None]:
    if site.disk is None:
        pytest.skip("a small disk takes root, and leave to mount")
    filler = site.disk / "filler"
    free = os.statvfs(site.disk)
    filler.write_bytes(bytes(int(0.95 * free.f_bavail * free.f_frsize)))
    yield
    filler.unlink()


@asynccontextmanager
async def signing_key_missing(site: Site) -> AsyncIterator[None]:
    file = site.keys / "registration.json"
    kept = file.read_bytes()
    file.unlink()
    yield
    await site.follow("SigningKeyMissing", "new", FILE=str(file))
    assert signature.load(file).keys
    file.write_bytes(kept)  # what earlier documents were signed with


@asynccontextmanager
async def policy_differs(site: Site) -> AsyncIterator[None]:
    release = site.spine.folder / "next-release"
    for part in ("libs", "services"):
        shutil.copytree(
            CHECKOUT / part, release / part, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "static")
        )
    law = release / "services/registration/policy/deadlines.csv"
    law.write_text(law.read_text(encoding="utf-8").replace("public notice of a", "the public notice of a"))
    member = ServiceProcess("registration", site.spine.env, site.spine.folder / "next.log", checkout=release)
    site.spine.processes["registration-next"] = member
    await asyncio.to_thread(member.start().wait_ready)
    site.members["next"] = member
    yield
    await asyncio.to_thread(member.stop)
    del site.members["next"]


async def look(site: Site, times: int) -> list[int]:
    answers = [get(site.spine, "/v1/enterprises/91310106MA0000015B") for _ in range(times)]
    return [answer.status_code for answer in await asyncio.gather(*answers)]


@asynccontextmanager
async def requests_fail(site: Site) -> AsyncIterator[None]:
    async with database_down(site):
        assert set(await look(site, 5)) == {httpx.codes.SERVICE_UNAVAILABLE}
        await site.scrape()
        await look(site, 10)
        yield
    await eventually(lambda: site.is_quiet("DatabaseDown"))


@asynccontextmanager
async def requests_slow(site: Site) -> AsyncIterator[None]:
    lock = "LOCK TABLE enterprise IN ACCESS EXCLUSIVE MODE"
    await look(site, 1)
    await site.scrape()
    async with site.session("registration", lock):
        slow = asyncio.ensure_future(look(site, 5))
        await eventually(lambda: somebody_waits(site))
        await asyncio.sleep(1.5)
    await slow
    async with site.session("registration", lock):
        stuck = asyncio.ensure_future(look(site, 1))
        yield
        await site.end_sessions("RequestsSlow", "registration")
        await stuck


async def somebody_waits(site: Site) -> bool:
    async with site.spine.database("registration") as connection:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )


Story = Callable[[Site], AbstractAsyncContextManager[None]]
# The first two start registration, which refuses to once others have put events on its topic that it never said.
STORIES: dict[str, Story] = {
    "ServiceDown": service_down,
    "PolicyDiffers": policy_differs,
    "DatabaseDown": database_down,
    "RelayLeaderMissing": relay_leader_missing,
    "OutboxLate": outbox_late,
    "ConsumerLate": consumer_late,
    "ConsumerPaused": consumer_paused,
    "EventsFailed": events_failed,
    "EventsWaiting": events_waiting,
    "EventsForked": events_forked,
    "DeadLetters": dead_letters,
    "AuditHeadLate": audit_head_late,
    "DueFailing": due_failing,
    "DueLate": due_late,
    "ClockOff": clock_off,
    "ClockRecordsIgnored": clock_records_ignored,
    "DiskNearlyFull": disk_nearly_full,
    "SigningKeyMissing": signing_key_missing,
    "RequestsFail": requests_fail,
    "RequestsSlow": requests_slow,
}
OVER_AN_HOUR = {"DeadLetters", "ClockRecordsIgnored"}
OF_REQUESTS = {"RequestsFail", "RequestsSlow"}
"""What they tell of is what was asked in the last minutes."""


def test_every_alert_has_its_story() -> None:
    assert STORIES.keys() == EXPRESSIONS.keys()


@pytest.mark.parametrize("alert", STORIES)
async def test_an_alert_fires_when_its_condition_holds_and_its_runbook_ends_it(site: Site, alert: str) -> None:
    await site.an_hour_passes()
    assert await eventually(lambda: site.is_quiet(alert)), (
        "a relay may be on its way to lead again after the last story"
    )

    async with STORIES[alert](site):
        assert await eventually(lambda: site.firing(alert))

    async def is_over() -> bool:
        if alert in OVER_AN_HOUR | OF_REQUESTS:
            await site.an_hour_passes()
        for _ in range(5 if alert in OF_REQUESTS else 0):
            await look(site, 1)
        return await site.is_quiet(alert)

    assert await eventually(is_over)
