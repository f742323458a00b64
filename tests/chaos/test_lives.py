"""A day at all six services, with nothing broken: people get their things done, and the checker finds nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from chaos.acts import ACTS
from chaos.journal import journal
from chaos.lives import live
from chaos.world import World
from deploy.local.issuer import token
from deploy.local.services import DEMO_START
from deploy.local.stack import Stack
from libs.common import time_travel
from tests.checker import Report, Target, check
from tests.checker.record import load
from tests.spine import Spine

SERVICES = ("registration", "licensing", "supervision", "credit", "risk", "lobby")
SECONDS, RATE, DAYS = 24, 12, 12
ESSENTIAL = {
    "file", "file twice", "claim", "decision", "change", "save draft", "leave", "apply, commitment", "apply, ordinary",
    "claim a notification", "draw", "confirm", "hear from the city", "look at a risk", "compare a scorecard",
    "look around",
}  # fmt: skip
"""What happens in any such day, whatever else does."""


@dataclass(frozen=True, slots=True)
class Street:
    """Where people of this test live."""

    stack: Stack
    namespace: str
    urls: Mapping[str, str]


async def days_pass(spine: Spine, stop: asyncio.Event) -> None:
    """A working day every two seconds; nobody waits until everything has come to rest."""
    for day in range(1, DAYS + 1):
        await asyncio.sleep(SECONDS / DAYS)
        to = type(DEMO_START).fromordinal(DEMO_START.toordinal() + day)
        await time_travel.advance(spine.stack.bootstrap_servers, spine.namespace, to)
    stop.set()


async def lived(spine: Spine) -> tuple[World, Report]:
    spine.up(*SERVICES)
    street = Street(spine.stack, spine.namespace, {name: spine.service(name).url for name in SERVICES})
    file, stop = spine.folder / "journal.ndjson", asyncio.Event()
    with journal(file) as noted:
        passing = asyncio.create_task(days_pass(spine, stop))
        world = await live(street, random.Random(7), stop, noted, rate=RATE)
        await passing
    await spine.quiet()
    attempts, record = load(file)
    target = Target(
        street.stack.bootstrap_servers, street.stack.database_url, street.namespace, SERVICES, urls=street.urls,
        tokens={"risk": token("auditor-1")},
    )  # fmt: skip
    return world, await check(target, attempts, record)


@pytest.mark.long
async def test_a_day_of_lives_leaves_nothing_that_the_checker_could_find(spine: Spine) -> None:
    world, report = await lived(spine)

    assert report.violations == ()
    assert ESSENTIAL - world.done.keys() == set()
    assert len(report.types) > 20, "most types of events were said"
    refused = sum(count for status, count in world.answers.items() if status >= 400)
    assert refused < world.answers.total() / 3, "most of what people want is granted"
    assert len(ACTS) >= 25
