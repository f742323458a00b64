"""Scorecards: one is put beside the one in force and scored by, and taken away again when somebody has compared."""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from typing import Any

from chaos.world import World

ANALYST = "analyst-1"
SCORECARDS = "/v1/scorecards"
MOST = 4
"""So many are drafted; after that one of them is compared again."""


async def compare_a_scorecard(world: World, chance: random.Random) -> None:
    """Put one in the shadow; where one stands there, look at the comparison and end it."""
    listed = await world.see(ANALYST, "risk", f"{SCORECARDS}?limit=50")
    if listed is None:
        return
    by_state: dict[str, list[str]] = defaultdict(list)
    for one in listed["items"]:
        by_state[one["state"]].append(one["digest"])
    if by_state["shadow"]:
        await _end(world, by_state["shadow"][0])
    elif len(by_state["withdrawn"]) >= MOST:
        await _begin(world, chance.choice(by_state["withdrawn"]))
    elif by_state["active"]:
        await _draft(world, chance, by_state["active"][0])


async def _draft(world: World, chance: random.Random, in_force: str) -> None:
    shown = await world.see(ANALYST, "risk", f"{SCORECARDS}/{in_force}")
    if shown is None:
        return
    body = altered(shown["document"], f"storm-{next(world.numbers)}", chance)
    if drafted := await world.do("draft a scorecard", ANALYST, "risk", SCORECARDS, body):
        await _begin(world, drafted["digest"])


async def _begin(world: World, digest: str) -> None:
    path = f"{SCORECARDS}/{digest}"
    why = {"reason": "与现行评分表并行比对。"}
    await world.do("compare a scorecard", ANALYST, "risk", f"{path}/shadow", why, of=path)


async def _end(world: World, digest: str) -> None:
    path = f"{SCORECARDS}/{digest}"
    await world.see(ANALYST, "risk", f"{path}/comparison")
    await world.do("end a comparison", ANALYST, "risk", f"{path}/withdrawal", {"reason": "比对结束。"}, of=path)


def altered(document: dict[str, Any], name: str, chance: random.Random) -> dict[str, Any]:
    """The same by another name, with other points for the first step of one rule."""
    other = copy.deepcopy(document)
    rule = chance.choice([one for one in other["rules"] if one["steps"]])
    rule["steps"][0]["points"] = chance.randint(0, rule["cap"])
    return {**other, "name": name}
