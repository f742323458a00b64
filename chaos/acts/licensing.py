"""Permits of every mode, their decisions, and the double notification of departments."""

from __future__ import annotations

import random
from typing import Any

from chaos.world import World

OFFICERS = ("licensing-market-1", "licensing-fire-1", "licensing-health-1")
DEPARTMENTS = ("market_regulation", "fire_and_rescue", "health", "commerce", None)
PERMITS = "licensing.permit"
FITS = {"approval_to_filing": "filing", "notification_commitment": "commitment"}
"""The way that a mode of reform opens; the ordinary one for all others."""


async def apply_for_a_permit(world: World, chance: random.Random) -> None:
    """What the enterprise was told that it needs; now and then what it does not, or in a way that is not open to it."""
    for _ in range(4):
        affair = world.one(chance)
        if affair is None:
            return
        path = f"/v1/enterprises/{affair.id}"
        needed = await world.see(affair.owner, "licensing", f"{path}/requirements")
        if items := [one for one in needed["items"] if one["due"] == "yes" or chance.random() < 0.1] if needed else []:
            break
    else:
        return
    item = chance.choices(items, [4 if one["mode"] in FITS else 1 for one in items])[0]
    way = _way(item, chance)
    body = {"item_id": item["item_id"], "way": way, "commitment_accepted": way == "commitment"}
    await world.do(f"apply, {way}", affair.owner, "licensing", f"{path}/permit-applications", body)


def _way(item: dict[str, Any], chance: random.Random) -> str:
    fits = FITS.get(item["mode"], "ordinary")
    return fits if chance.random() < 0.9 else chance.choice(("ordinary", "filing", "commitment"))


async def decide_on_a_permit(world: World, chance: random.Random) -> None:
    officer = chance.choices(OFFICERS, (3, 1, 1))[0]
    queue = f"/v1/work-items?queue={PERMITS}&limit=50"
    item = await world.some(chance, officer, "licensing", f"{queue}&state=open") or await world.some(
        chance, officer, "licensing", f"{queue}&state=mine"
    )
    if item is None:
        return
    taken = f"/v1/work-items/{item['id']}"
    if item["claimed_by"] is None and await world.do("claim", officer, "licensing", f"{taken}/claim", of=taken) is None:
        return
    path = f"/v1/permit-applications/{item['subject']}"
    ruling = {"outcome": chance.choice(("grant", "grant", "refuse")), "reason": "材料齐全，符合法定形式。"}
    await world.do("decide on a permit", officer, "licensing", f"{path}/decision", ruling, of=path)


async def see_to_a_notification(world: World, chance: random.Random) -> None:
    """Claimed, or returned to another department or to nobody's desk."""
    officer, state = chance.choice(OFFICERS), chance.choice(("sent", "sent", "returned", "overdue"))
    one = await world.some(chance, officer, "licensing", f"/v1/notifications?state={state}&limit=50")
    if one is None:
        return
    path = f"/v1/notifications/{one['id']}"
    if chance.random() < 0.7:
        await world.do("claim a notification", officer, "licensing", f"{path}/claim", of=path)
    else:
        body = {"to": chance.choice(DEPARTMENTS), "reason": "该事项不属于本部门职责。"}
        await world.do("return a notification", officer, "licensing", f"{path}/return", body, of=path)
