"""A scorecard beside the one in force while members of risk come, go and are killed: both are what the topics say."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

from deploy.local.services import DEMO_START
from libs.common.clock import BusinessClock
from libs.common.consumer import Consumer
from libs.common.database import open_database
from services.risk.rebuild import report
from services.risk.service import service as risk
from tests.faults.topics import changed_address, everything_is_taken, new_uscc, put, registered
from tests.risk.test_scorecard_versions import REGULATOR, act, card, document, hand_in
from tests.spine import Spine, eventually


async def begin(spine: Spine, name: str, points: int) -> str:
    """A scorecard of its own in the shadow; one that stands there leaves it."""
    kept = (await hand_in(spine, document(name, points))).raise_for_status().json()
    (await act(spine, kept["digest"], "/shadow", 1)).raise_for_status()
    return str(kept["digest"])


async def is_complete(spine: Spine, digest: str) -> dict[str, Any]:
    async def complete() -> dict[str, Any] | None:
        shown = await card(spine, digest)
        return shown if shown["progress"]["complete_since"] else None

    return dict(await eventually(complete))


async def equals_the_topics(spine: Spine, enterprises: int) -> None:
    await eventually(lambda: everything_is_taken(spine, "risk"))
    with spine.as_environment():
        rebuilt = await report(risk.load_settings())
    assert (rebuilt.enterprises, rebuilt.different, rebuilt.differences) == (enterprises, 0, ())


@contextlib.asynccontextmanager
async def a_member_of_risk(spine: Spine) -> AsyncIterator[None]:
    """One more member of risk's group, in this process."""
    with spine.as_environment():
        settings = risk.load_settings()
    database, stop = open_database(settings), asyncio.Event()
    running = asyncio.create_task(Consumer(risk, database, settings, BusinessClock(DEMO_START)).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)
        await database.engine.dispose()


async def test_both_are_what_the_topics_say_while_members_come_and_go_every_two_seconds(spine: Spine) -> None:
    spine.up("risk")
    enterprises = [new_uscc() for _ in range(60)]

    async def happens() -> None:
        """Three are registered at a time and move at once; those before them move again."""
        for at in range(0, len(enterprises), 3):
            fresh, before = enterprises[at : at + 3], enterprises[max(0, at - 3) : at]
            await put(spine, *map(registered, fresh), *(changed_address(uscc, 2) for uscc in fresh),
                      *(changed_address(uscc, 3) for uscc in before))  # fmt: skip
            await asyncio.sleep(0.2)

    happening = asyncio.create_task(happens())
    async with a_member_of_risk(spine):
        await asyncio.sleep(2)
        first = await begin(spine, "while-members-come", 25)
        async with a_member_of_risk(spine):
            await asyncio.sleep(2)
        await asyncio.sleep(2)
    await happening
    await is_complete(spine, first)
    await equals_the_topics(spine, len(enterprises))


async def test_killed_at_every_step_of_the_scoring_another_goes_on_and_both_change_places(spine: Spine) -> None:
    """Before a batch is kept and after it, before the last word and after both signatures."""
    process = spine.service("risk")
    before = next(one for one in await cards(spine) if one["state"] == "shadow")
    await act(spine, before["digest"], "/withdrawal", before["version"])
    process.stop()
    process.start(ONE_WINDOW_CRASH_AT="shadow.before_commit").wait_ready()
    digest = await begin(spine, "killed", 12)
    for point in ("shadow.after_commit", "shadow.before_finish", ""):
        assert await asyncio.to_thread(process.wait_ended, 30) == -signal.SIGKILL
        process.start(ONE_WINDOW_CRASH_AT=point)
    process.wait_ready()
    scored = await is_complete(spine, digest)
    assert (scored["progress"]["done"], scored["progress"]["total"]) == (60, 60)
    await equals_the_topics(spine, 60)

    proposed = (await act(spine, digest, "/activation", scored["version"])).raise_for_status().json()
    signed = await act(spine, digest, "/activation/signature", proposed["version"], person=REGULATOR)
    assert signed.json()["state"] == "active"
    process.kill()
    process.start().wait_ready()
    await equals_the_topics(spine, 60)
    async with spine.database("risk") as connection:
        said = await connection.fetch("SELECT uscc, after FROM class_change WHERE scorecard_digest = $1", digest)
        classes = dict(await connection.fetch("SELECT uscc, risk_class FROM profile"))
    assert said
    assert dict(map(tuple, said)).items() <= classes.items()
    assert len({row["uscc"] for row in said}) == len(said), "each change is announced once"


async def cards(spine: Spine) -> list[dict[str, Any]]:
    async with spine.database("risk") as connection:
        return [dict(row) for row in await connection.fetch("SELECT digest, state, version FROM scorecard")]
