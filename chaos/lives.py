"""A seeded workload: people at all six services, at a set rate, as careful as clients are; all of it is journalled.

What is done when, and by whom, depends on the seed alone; what comes of it depends on what is there by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from typing import Protocol

from chaos.acts import ACTS, Act, supervision
from chaos.journal import Journal
from chaos.world import World, Wrong
from demo.applications import forms
from demo.careful import NoAnswer
from demo.office import Office
from deploy.local.stack import Stack
from tests.checker.record import Met

SECONDS_OF_ACTS = 4.0
"""So many seconds' acts may be under way, and a few more; others would only wait in longer rows."""
LAST_SECONDS = 120.0
"""What those that are under way at the end may take; then nobody waits for their answers."""


class Place(Protocol):
    """Where people live: chaos/cluster.py, or the spine of a test."""

    namespace: str

    @property
    def urls(self) -> Mapping[str, str]: ...
    @property
    def stack(self) -> Stack: ...


async def live(
    place: Place, chance: random.Random, stop: asyncio.Event, journal: Journal, *, rate: float = 10.0
) -> World:
    """Begin `rate` acts a second until `stop` is set; then let those under way come to their end. That nobody answered
    for long, and what no service may answer, is noted; other errors are faults of the acts and are raised."""
    seed = chance.randrange(1_000)
    room, running = asyncio.Semaphore(4 + round(SECONDS_OF_ACTS * rate)), set[asyncio.Task[None]]()
    failed: list[Exception] = []
    async with Office(place.urls, journal) as office:
        world = World(place.stack, place.namespace, office, journal, forms(seed), seed)
        with contextlib.suppress(NoAnswer):
            await supervision.enter_inspectors(world)

        def ended(task: asyncio.Task[None]) -> None:
            running.discard(task)
            room.release()
            if not task.cancelled() and isinstance(error := task.exception(), Exception):
                failed.append(error)

        while not stop.is_set():
            await room.acquire()
            act = chance.choices(list(ACTS), list(ACTS.values()))[0]
            task = asyncio.create_task(_act(act, world, random.Random(chance.random())))
            running.add(task)
            task.add_done_callback(ended)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), chance.expovariate(rate))
        await _come_to_an_end(running)
    journal.write("lived", done=dict(world.done), answers={str(one): n for one, n in world.answers.items()})
    if failed:
        raise ExceptionGroup("acts that failed", failed)
    return world


async def _act(act: Act, world: World, chance: random.Random) -> None:
    try:
        await act(world, chance)
    except NoAnswer as late:
        world.journal.write("unanswered", act=act.__name__, words=str(late))
    except Wrong as wrong:
        world.journal.note(Met(time.monotonic(), str(wrong)))


async def _come_to_an_end(running: set[asyncio.Task[None]]) -> None:
    if running:
        _, left = await asyncio.wait(running, timeout=LAST_SECONDS)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
