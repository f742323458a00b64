"""People of a storm compare scorecards: one is put in the shadow, scored by, and taken away again."""

from __future__ import annotations

import random
from pathlib import Path

from chaos.acts.scorecards import MOST, compare_a_scorecard
from chaos.journal import journal
from chaos.world import World
from demo.applications import forms
from demo.office import Office
from tests.spine import Spine, eventually


async def test_every_other_time_one_is_put_in_the_shadow_and_the_comparison_ended(spine: Spine, tmp_path: Path) -> None:
    spine.up("risk")
    with journal(tmp_path / "journal.ndjson") as noted:
        async with Office({"risk": spine.service("risk").url}, noted) as office:
            world = World(spine.stack, spine.namespace, office, noted, forms(1), 1)
            states = []
            for number in range(2 * MOST + 1):
                await compare_a_scorecard(world, random.Random(number))
                async with spine.database("risk") as connection:
                    found = await connection.fetch("SELECT state FROM scorecard ORDER BY drafted_at")
                states.append([row["state"] for row in found])

            async def scored() -> bool:
                async with spine.database("risk") as connection:
                    return bool(await connection.fetchval("SELECT scored_at FROM scorecard WHERE state = 'shadow'"))

            await eventually(scored)

    assert states[:3] == [["active", "shadow"], ["active", "withdrawn"], ["active", "withdrawn", "shadow"]]
    assert sorted(states[-1]) == ["active", "shadow", *["withdrawn"] * (MOST - 1)], "one of them once more"
    assert world.done == {"draft a scorecard": MOST, "compare a scorecard": MOST + 1, "end a comparison": MOST}
