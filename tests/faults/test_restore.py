"""Databases restored to an older copy: noticed at the start, reconciled with the topics, and taken up again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from itertools import groupby
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.services import ServiceProcess
from deploy.local.stack import CHECKOUT
from libs.common import time_travel
from libs.common.database import open_database
from libs.common.relay.restored import Reconciled, reconcile
from libs.common.service import find
from libs.common.settings import Refused
from tests.faults.account import AREAS, caught_up, checked, histories, serve_forms, take_account, told
from tests.faults.topics import event, everything_is_taken, new_uscc, partition_of, put
from tests.spine import Spine, change, eventually, form, get, recovery_reports, risk_of, submit

pytestmark = pytest.mark.long

CALM: dict[str, Any] = {"registered_capital": "20000000", "activities": ["7244"]}
"""Fields of a form by which an enterprise begins in class A; each of two changes of address brings it 10 of the 20
points to class B, and a year later none is left."""


@asynccontextmanager
async def administrator(spine: Spine) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(spine.stack.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def keep_copy(spine: Spine, service: str) -> None:
    """A backup of the database of a service that does not run."""
    name = f"{spine.namespace}{service}"
    async with administrator(spine) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {name}_copy")
        await connection.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}")


async def restore(spine: Spine, service: str) -> None:
    """The database as it was when its copy was made."""
    name = f"{spine.namespace}{service}"
    async with administrator(spine) as connection:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {name}_copy OWNER {name}")


async def restore_beneath(spine: Spine, member: ServiceProcess, *, unnoticed: bool = True) -> None:
    """As `restore`, under a service that runs: no start check sees it. Its relay does, which stands behind where it
    stood; unless somebody has lifted the relay's progress and the ids of rows to where they were (`unnoticed`)."""
    async with spine.database(member.name) as connection:
        high = await connection.fetchval("SELECT high FROM relay_progress")
    member.freeze()
    await restore(spine, member.name)
    if unnoticed:
        async with spine.database(member.name) as connection:
            await connection.execute("UPDATE relay_progress SET high = $1", high)
            await connection.execute("SELECT setval(pg_get_serial_sequence('outbox', 'id'), $1)", high)
    member.thaw()


async def refuses_to_start(process: ServiceProcess) -> None:
    assert await asyncio.to_thread(process.start().wait_ended) == 1
    assert f"Run: python -m libs.common.relay reconcile {process.name}" in process.last_lines(1)


def operator(spine: Spine, *command: str) -> str:
    """Run a command as an operator would; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=CHECKOUT, env={**os.environ, **spine.env}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(autouse=True)
def running(spine: Spine) -> None:
    """Both services, also where an earlier story has ended with one of them stopped."""
    for name in ("registration", "risk"):
        if not spine.service(name).alive:
            spine.service(name).start().wait_ready()


async def changes(spine: Spine) -> dict[str, list[int]]:
    """The classes that each enterprise was in, as risk shows its history."""
    async with spine.database("risk") as connection:
        rows = await connection.fetch("SELECT uscc, after FROM class_change ORDER BY uscc, position")
    return {uscc: [row["after"] for row in of_one] for uscc, of_one in groupby(rows, lambda row: row["uscc"])}


async def profiles(spine: Spine) -> list[dict[str, Any]]:
    """What enterprises add up to, in whatever transaction it was written."""
    async with spine.database("risk") as connection:
        rows = await connection.fetch("SELECT * FROM profile ORDER BY uscc")
    return [{name: value for name, value in row.items() if name != "scored_in"} for row in rows]


async def reconciled(spine: Spine, name: str) -> Reconciled:
    service = find(name)
    with spine.as_environment():
        settings = service.load_settings()
    database = open_database(settings)
    try:
        return await reconcile(database, settings, service.lift_allocators)
    finally:
        await database.engine.dispose()


@pytest.fixture(scope="module")
def incomplete() -> set[str]:
    """Subjects of which the topic says more than the database knows: what was lost and is not entered again."""
    return set()


async def the_rest_holds(spine: Spine, incomplete: set[str], answers: Sequence[httpx.Response] = ()) -> None:
    """The outside checker finds nothing but the rows that are known to be incomplete."""
    faults = (await checked(spine, answers)).violations
    assert [fault for fault in faults if not any(uscc in fault for uscc in incomplete)] == []


async def test_registration_on_an_older_copy_refuses_to_start_and_goes_on_when_it_is_reconciled(
    spine: Spine, incomplete: set[str]
) -> None:
    registration = spine.service("registration")
    old = (await submit(spine)).json()["uscc"]
    await eventually(lambda: caught_up(spine))
    registration.kill()
    registration.start(ONE_WINDOW_CRASH_AT="relay.before_send").wait_ready()
    unsent_in_the_copy = asyncio.create_task(change(spine, old, {"area": AREAS[0]}))
    assert await asyncio.to_thread(registration.wait_ended) == -signal.SIGKILL
    await keep_copy(spine, "registration")
    registration.start()
    await unsent_in_the_copy
    lost = await serve_forms(spine, 3, changes=1)
    await change(spine, old, {"area": AREAS[1]})
    before = await take_account(spine, lost)
    assert len(before[old]) == 3
    registration.stop()

    await restore(spine, "registration")
    await refuses_to_start(registration)
    printed = await asyncio.to_thread(operator, spine, "libs.common.relay", "reconcile", "registration")

    for answer in lost:
        assert answer.json()["uscc"] in printed
    for answer in lost[::2]:
        assert answer.json()["id"] in printed, "an application to enter again"
    assert "13 adopted, 0 unsent renumbered, 7 counters raised, 0 forks" in printed

    registration.start().wait_ready()
    entered_again = await serve_forms(spine, 3)
    assert not {answer.json()["uscc"] for answer in entered_again} & set(before), "an identifier given out twice"
    await change(spine, old, {"area": AREAS[0]})
    await eventually(lambda: caught_up(spine))
    await spine.quiet()
    said = histories(await told(spine))
    assert {uscc: history[: len(before[uscc])] for uscc, history in said.items() if uscc in before} == before
    assert [event.sequence for event in said[old]] == [1, 2, 3, 4]
    incomplete.add(old)
    await the_rest_holds(spine, incomplete, entered_again)


async def test_a_restore_under_a_running_service_ends_it_and_every_step_back_is_reported(
    spine: Spine, incomplete: set[str]
) -> None:
    registration = spine.service("registration")
    uscc = (await submit(spine)).json()["uscc"]
    await eventually(lambda: caught_up(spine))
    registration.stop()
    await keep_copy(spine, "registration")
    registration.start().wait_ready()
    await change(spine, uscc, {"area": AREAS[0]})
    await eventually(lambda: caught_up(spine))

    await restore_beneath(spine, registration, unnoticed=False)
    assert await asyncio.to_thread(registration.wait_ended) == 1
    assert "Run: python -m libs.common.relay reconcile registration" in registration.last_lines(2)
    await refuses_to_start(registration)
    await asyncio.to_thread(operator, spine, "libs.common.relay", "reconcile", "registration")
    registration.start().wait_ready()

    mended, noticed = (await recovery_reports(spine, "registration"))[:2]
    assert (noticed["kind"], noticed["outcome"], noticed["different"]) == ("restore", "refused", 1), "told once"
    assert (mended["kind"], mended["outcome"], mended["verification"]) == ("reconcile", "mended", "verified")
    whole = (await get(spine, f"/v1/recovery-reports/{mended['id']}", person="auditor-1")).json()["document"]
    assert any(line.startswith(f"adopted: {uscc} 2 ") for line in whole["differences"])
    assert whole["cut"]["positions"]
    assert len(whole["build"]) == len(whole["policy"]) == len(whole["compared"]["topic"]) == 64
    incomplete.add(uscc)
    await the_rest_holds(spine, incomplete)


async def test_reconciling_waits_until_the_service_is_stopped_and_finds_nothing_to_do_a_second_time(
    spine: Spine,
) -> None:
    registration = spine.service("registration")
    with pytest.raises(Refused, match="stop it"):
        await reconciled(spine, "registration")
    registration.stop()
    done = await reconciled(spine, "registration")
    assert (done.adopted, dict(done.plan.renumber), dict(done.plan.counters)) == ([], {}, {})


async def test_what_a_restored_service_wrote_and_never_sent_goes_behind_what_its_topic_holds(
    spine: Spine, incomplete: set[str]
) -> None:
    registration = spine.service("registration")
    uscc = (await submit(spine)).json()["uscc"]
    await eventually(lambda: caught_up(spine))
    registration.stop()
    await keep_copy(spine, "registration")
    registration.start(ONE_WINDOW_CRASH_AT="relay.before_send:2").wait_ready()
    await change(spine, uscc, {"area": AREAS[0]})
    await eventually(lambda: caught_up(spine))

    await restore_beneath(spine, registration)
    never_sent = asyncio.create_task(change(spine, uscc, {"area": AREAS[1]}))
    assert await asyncio.to_thread(registration.wait_ended) == -signal.SIGKILL
    done = await reconciled(spine, "registration")
    assert [event.sequence for event in done.adopted] == [2]
    assert list(done.plan.renumber.values()) == [3]

    registration.start()
    await never_sent
    await eventually(lambda: caught_up(spine))
    said = histories(await told(spine))[uscc]
    assert [event.data.get("area") for event in said[1:]] == [AREAS[0], AREAS[1]]
    assert (await risk_of(spine, uscc))["score"] == 82
    incomplete.add(uscc)
    await the_rest_holds(spine, incomplete)


async def test_a_restore_that_nobody_noticed_forks_a_subject_which_is_parked_and_comes_home_by_an_operator(
    spine: Spine, incomplete: set[str]
) -> None:
    registration = spine.service("registration")
    uscc = (await submit(spine)).json()["uscc"]
    await eventually(lambda: caught_up(spine))
    registration.stop()
    await keep_copy(spine, "registration")
    registration.start().wait_ready()
    await change(spine, uscc, {"area": AREAS[0]})
    await eventually(lambda: caught_up(spine))

    await restore_beneath(spine, registration)
    await change(spine, uscc, {"area": AREAS[1]})
    async with spine.database("risk") as risk:
        fork = await eventually(lambda: risk.fetchrow("SELECT * FROM parked WHERE subject = $1", uscc))
    assert (fork["state"], fork["sequence"]) == ("forked", 2)
    assert (await risk_of(spine, uscc))["score"] == 72, "the history that was told first holds"
    other = (await submit(spine)).json()["uscc"]
    assert await eventually(lambda: risk_of(spine, other)), "the others go on"

    registration.stop()
    await refuses_to_start(registration)
    done = await reconciled(spine, "registration")
    assert [(event.subject, event.sequence) for event in done.adopted] == [(uscc, 2)]
    assert (list(done.plan.renumber.values()), len(done.plan.forks)) == ([3], 1)
    registration.start().wait_ready()
    await asyncio.to_thread(
        operator, spine, "libs.common.parked", "risk", "drop", uscc, "2", "--id", str(fork["id"]),
        "--why", "said under a sequence that was taken, and again under the next",
    )  # fmt: skip
    await eventually(lambda: caught_up(spine))
    assert (await risk_of(spine, uscc))["score"] == 82
    incomplete.add(uscc)
    await the_rest_holds(spine, incomplete)


async def test_risk_on_an_older_copy_reads_again_from_its_own_positions_and_ends_where_it_was(
    spine: Spine, incomplete: set[str]
) -> None:
    risk = spine.service("risk")
    calm = (await submit(spine, form(**CALM))).json()["uscc"]
    await eventually(lambda: caught_up(spine))
    risk.stop()
    await keep_copy(spine, "risk")
    later = await serve_forms(spine, 2, changes=2)
    for area in AREAS:
        await change(spine, calm, {"area": area})
    risk.start().wait_ready()
    await eventually(lambda: caught_up(spine))
    await spine.quiet()
    scores, said = await profiles(spine), histories(await told(spine, "risk"))
    assert [event.data["risk_class"] for event in said[calm]] == ["A", "B"]
    risk.stop()

    await restore(spine, "risk")
    await refuses_to_start(risk)
    await asyncio.to_thread(operator, spine, "libs.common.relay", "reconcile", "risk")
    risk.start().wait_ready()

    await eventually(lambda: caught_up(spine))
    await spine.quiet()
    assert await profiles(spine) == scores
    announced = histories(await told(spine, "risk"))
    assert await changes(spine) == {
        uscc: ["ABCD".index(event.data["risk_class"]) for event in history] for uscc, history in announced.items()
    }, "what was announced meanwhile is history again"
    assert {uscc: history[: len(said[uscc])] for uscc, history in announced.items()} == said
    assert {uscc for uscc, history in announced.items() if len(history) > len(said[uscc])} == {calm}, (
        "the one that was B"
    )
    await the_rest_holds(spine, incomplete, later)


async def parked_alone(spine: Spine, count: int) -> bool:
    """Whether risk has read everything, and parked the events that fail."""
    async with spine.database("risk") as connection:
        failed = await connection.fetchval("SELECT count(*) FROM parked WHERE state = 'failed'")
    return bool(failed == count and await everything_is_taken(spine, "risk"))


async def test_a_class_is_announced_after_a_restore_though_the_events_come_in_other_batches(
    spine: Spine, incomplete: set[str]
) -> None:
    risk = spine.service("risk")
    risk.stop()
    await keep_copy(spine, "risk")
    late = (await submit(spine, form(**CALM))).json()["uscc"]
    for area in AREAS:
        await change(spine, late, {"area": area})
    risk.start().wait_ready()
    await eventually(lambda: caught_up(spine))
    await spine.quiet()
    assert [event.data["risk_class"] for event in histories(await told(spine, "risk"))[late]] == ["B"], "one batch"
    risk.stop()

    await restore(spine, "risk")
    v9 = "registration.enterprise_registered.v9"
    fail = [event(new_uscc(partition_of(late)), 1, {}, type=v9) for _ in range(2)]
    await put(spine, *fail)  # which halves the batch between the registration and the second change
    await reconciled(spine, "risk")
    risk.start().wait_ready()

    await eventually(lambda: parked_alone(spine, len(fail)))
    await spine.quiet()
    incomplete |= {str(one.key, "ascii") for one in fail}
    await the_rest_holds(spine, incomplete)
    assert [event.data["risk_class"] for event in histories(await told(spine, "risk"))[late]] == ["B", "A", "B"]


async def test_a_class_that_time_has_taken_back_since_the_copy_is_announced_after_a_restore(
    spine: Spine, incomplete: set[str]
) -> None:
    risk = spine.service("risk")
    risen = (await submit(spine, form(**CALM))).json()["uscc"]
    await eventually(lambda: everything_is_taken(spine, "risk"))
    await spine.quiet()
    risk.stop()
    await keep_copy(spine, "risk")
    risk.start().wait_ready()
    await spine.travel(date(2026, 3, 1))
    for area in AREAS:
        await change(spine, risen, {"area": area})
    await eventually(lambda: everything_is_taken(spine, "risk"))
    await spine.quiet()
    assert [event.data["risk_class"] for event in histories(await told(spine, "risk"))[risen]] == ["A", "B"]
    risk.stop()

    await restore(spine, "risk")
    await time_travel.advance(spine.stack.bootstrap_servers, spine.namespace, date(2027, 6, 1))
    await reconciled(spine, "risk")
    risk.start().wait_ready()

    await eventually(lambda: everything_is_taken(spine, "risk"))
    await spine.quiet()
    await the_rest_holds(spine, incomplete)
    assert {history[-1].data["risk_class"] for history in histories(await told(spine, "risk")).values()} == {"A"}
