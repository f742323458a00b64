"""Looks: what people read, and what each look at a risk leaves in the audit."""

from __future__ import annotations

import random

from chaos.world import World


async def look_at_a_risk(world: World, chance: random.Random) -> None:
    if affair := world.one(chance):
        path = f"/v1/enterprises/{affair.id}/risk"
        seen = await world.see("regulator-1", "risk", path, purpose="case_handling")
        if seen is not None and "contributions" in seen:
            points = sum(part["points"] for part in seen["contributions"])
            world.must(
                points == seen["score"], f"{affair.id}: its contributions are {points}, its score {seen['score']}"
            )
            world.done["look at a risk"] += 1


async def look_around(world: World, chance: random.Random) -> None:
    """One of many things that anybody, an owner or an officer looks at."""
    affair = world.one(chance)
    if affair is None:
        return
    uscc = affair.id
    seen = await world.see(
        *chance.choice(
            (
                (None, "registration", f"/v1/enterprises/{uscc}/licence"),
                (affair.owner, "registration", "/v1/applications?limit=20"),
                (affair.owner, "licensing", f"/v1/enterprises/{uscc}/permits"),
                (affair.owner, "credit", f"/v1/enterprises/{uscc}/credit"),
                (None, "supervision", "/v1/published-results?limit=20"),
                ("regulator-1", "risk", "/v1/risk/distribution"),
                ("credit-1", "credit", "/v1/exchange?limit=20"),
                ("auditor-1", "registration", "/v1/audit?limit=20"),
                (None, "lobby", "/v1/keys"),
            )
        )
    )
    world.done["look around"] += seen is not None
