"""Tasks and draws, visits with their results, commitments that are checked, corrections."""

from __future__ import annotations

import random
from typing import Any

from chaos.world import World

INSPECTORS = {
    "inspector-1": "market_regulation", "inspector-2": "market_regulation", "inspector-3": "health",
    "inspector-4": "fire_and_rescue",
}  # fmt: skip
SUPERVISOR = "supervisor-1"
FINDINGS = ("01", "01", "01", "02", "03", "04", "09", "10", "13")
"""Codes of a joint inspection; most visits find nothing."""
UNKEPT = "09"


async def enter_inspectors(world: World) -> None:
    """Before the first visit; who stands there already stays."""
    for account, department in INSPECTORS.items():
        entry = {"account": account, "department": department, "conflicts": []}
        await world.do("enter an inspector", SUPERVISOR, "supervision", "/v1/inspectors", entry)


async def plan_and_draw(world: World, chance: random.Random) -> None:
    """A task for today, drawn at once; then anybody repeats the draw."""
    seen = await world.see(None, "supervision", "/health/progress")
    if seen is None:
        return
    plan = {
        "code_set": "joint_inspection", "items": ["P001"], "legal_basis": "guofa_2019_5",
        "ratios": {"A": 1, "B": chance.choice((2, 5)), "C": 20, "D": 100}, "on": seen["business_date"],
    }  # fmt: skip
    task = await world.do("file a task", SUPERVISOR, "supervision", "/v1/tasks", plan)
    if task is None:
        return
    draw = await world.do("draw", SUPERVISOR, "supervision", f"/v1/tasks/{task['id']}/draw")
    if draw is not None:
        path = f"/v1/draws/{draw['draw_id']}/verification"
        verified = await world.do("verify a draw", "applicant-3", "supervision", path)
        world.must(verified is None or verified["equal"], f"the draw {draw['draw_id']} is not what it was drawn from")


async def visit(world: World, chance: random.Random) -> None:
    """One inspector reports, another one of the visit confirms; both show the inspection code."""
    inspector = chance.choice(tuple(INSPECTORS))
    state = chance.choice(("assigned", "assigned", "reported"))
    one = await world.some(chance, inspector, "supervision", f"/v1/inspections?state={state}&limit=50")
    if one is not None:
        await _visited(world, one, chance.choice(FINDINGS))


async def _visited(world: World, one: dict[str, Any], finding: str) -> None:
    first, second = one["inspectors"][:2]
    path, code = f"/v1/inspections/{one['id']}", {"code": one["code"]}
    results = [{"code_set": one["code_set"], "code": finding if one["code_set"] == "joint_inspection" else "1"}]
    if one["state"] == "assigned":
        await world.do("report", first, "supervision", f"{path}/result", {**code, "results": results})
    await world.do("confirm", second, "supervision", f"{path}/confirmation", code)


async def check_a_commitment(world: World, chance: random.Random) -> None:
    """Every other one is found unkept."""
    one = await world.some(chance, SUPERVISOR, "supervision", "/v1/obligations?limit=50")
    if one is None:
        return
    own = [account for account, department in INSPECTORS.items() if department == one["department"]]
    sent = [*own[:1], *(account for account in INSPECTORS if account not in own[:1])][:2]
    check = {"uscc": one["uscc"], "reason": "commitment_check", "commitment_id": one["commitment_id"],
             "inspectors": sent}  # fmt: skip
    begun = await world.do("check a commitment", SUPERVISOR, "supervision", "/v1/inspections", check)
    if begun is not None:
        await _visited(world, begun, chance.choice(("01", UNKEPT)))


async def act_on_a_complaint(world: World, chance: random.Random) -> None:
    if affair := world.one(chance):
        sent = {"uscc": affair.id, "reason": chance.choice(("complaint", "clue")), "item_id": "P001"}
        await world.do("act on a complaint", SUPERVISOR, "supervision", "/v1/inspections", sent)


async def see_to_a_correction(world: World, chance: random.Random) -> None:
    """Half of those that are looked at are mended; the others are looked at again, or fall overdue."""
    one = await world.some(chance, SUPERVISOR, "supervision", "/v1/corrections?state=ordered&limit=50")
    if one is not None and chance.random() < 0.5:
        await world.do("meet a correction", SUPERVISOR, "supervision", f"/v1/corrections/{one['id']}/met")


async def publish_early(world: World, chance: random.Random) -> None:
    one = await world.some(chance, SUPERVISOR, "supervision", "/v1/inspections?state=completed&limit=50")
    if one is not None:
        await world.do("publish", SUPERVISOR, "supervision", f"/v1/inspections/{one['id']}/publication")
