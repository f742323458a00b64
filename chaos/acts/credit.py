"""Lists, repairs, erasures, and the exchange with the city."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from aiokafka.errors import KafkaError

from chaos.world import Affair, World
from deploy import city

OFFICER = "credit-1"
REPAIRS = "credit.repair"
CITY_SECONDS = 30.0


async def _credit_of(world: World, chance: random.Random) -> tuple[Affair, dict[str, Any]] | None:
    """Some enterprise that has something on its record, if a few looks find one."""
    for _ in range(6):
        affair = world.one(chance)
        if affair is None:
            return None
        seen = await world.see(OFFICER, "credit", f"/v1/enterprises/{affair.id}/credit")
        if seen is not None and (seen["records"] or seen["listings"]):
            return affair, seen
    return None


async def list_an_enterprise(world: World, chance: random.Random) -> None:
    found = await _credit_of(world, chance)
    if found is None or not found[1]["records"]:
        return
    affair, seen = found
    body = {"list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": chance.choice(seen["records"])["id"]}
    await world.do("list", OFFICER, "credit", f"/v1/enterprises/{affair.id}/listings", body)


async def end_a_listing(world: World, chance: random.Random) -> None:
    if (found := await _credit_of(world, chance)) and found[1]["listings"]:
        one = chance.choice(found[1]["listings"])
        body = {"reason": "objection_upheld"}
        await world.do("end a listing", OFFICER, "credit", f"/v1/listings/{one['id']}/removal", body)


async def apply_for_repair(world: World, chance: random.Random) -> None:
    """Of a record or a listing; for many it is too early."""
    if found := await _credit_of(world, chance):
        affair, seen = found
        target = chance.choice([*seen["records"], *seen["listings"]])["id"]
        await world.do("apply for repair", affair.owner, "credit", "/v1/repairs", {"target": target})


async def decide_on_a_repair(world: World, chance: random.Random) -> None:
    state = chance.choice(("open", "mine"))
    item = await world.some(chance, OFFICER, "credit", f"/v1/work-items?queue={REPAIRS}&state={state}&limit=50")
    if item is None:
        return
    taken = f"/v1/work-items/{item['id']}"
    if state == "open" and await world.do("claim", OFFICER, "credit", f"{taken}/claim", of=taken) is None:
        return
    path = f"/v1/repairs/{item['subject']}"
    ruling = {"granted": chance.random() < 0.7, "reason": "整改到位，已完成核查。"}
    await world.do("decide on a repair", OFFICER, "credit", f"{path}/decision", ruling, of=path)


async def erase_a_record(world: World, chance: random.Random) -> None:
    if (found := await _credit_of(world, chance)) and found[1]["records"]:
        one = chance.choice(found[1]["records"])
        await world.do("erase", OFFICER, "credit", f"/v1/records/{one['id']}/erasure", {"reason": "annulled"})


async def hear_from_the_city(world: World, chance: random.Random) -> None:
    """New records with duplicates, disorder and bad ones. The city sends all again until Kafka has them."""
    if not world.enterprises:
        return
    about = sorted({one.id for one in chance.choices(world.enterprises, k=5)})
    given = city.records(1_000_000 * world.seed + next(world.numbers), about, 4)
    for _ in range(3):
        try:
            async with asyncio.timeout(CITY_SECONDS):
                await city.send(world.stack.bootstrap_servers, world.namespace, given)
            world.done["hear from the city"] += 1
            return
        except (KafkaError, TimeoutError):
            continue
