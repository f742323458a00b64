"""python -m chaos.member SERVICE ROUNDS: one more member of its group, that joins and leaves every two seconds."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from libs.common import time_travel
from libs.common.clock import BusinessClock
from libs.common.consumer import Consumer
from libs.common.database import open_database
from libs.common.service import find

STAYS_SECONDS = 2.0
LEAVES_WITHIN_SECONDS = 30.0


async def main(name: str, rounds: int) -> None:
    service = find(name)
    settings = service.load_settings()
    database, clock = open_database(settings), BusinessClock(settings.business_start)
    told, stop = asyncio.Event(), asyncio.Event()
    following = asyncio.create_task(time_travel.follow(settings, clock, told, stop))
    await told.wait()
    for _ in range(rounds):
        leave = asyncio.Event()
        member = asyncio.create_task(Consumer(service, database, settings, clock).run(leave))
        await asyncio.sleep(STAYS_SECONDS)
        leave.set()
        await asyncio.wait_for(member, LEAVES_WITHIN_SECONDS)
    stop.set()
    await following
    await database.engine.dispose()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
