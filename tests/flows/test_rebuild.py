"""What the topics say, replayed from nothing, is what the live table shows."""

import json
import os
import subprocess
import sys
from datetime import date

from deploy.local.stack import CHECKOUT
from tests.spine import Spine, change, form, submit


def rebuild(spine: Spine) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "services.risk.rebuild"],
        cwd=CHECKOUT, env={**os.environ, **spine.env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


async def test_the_rebuild_equals_the_live_table_after_changes_and_months(spine: Spine) -> None:
    spine.up("registration", "risk")
    for capital in ("800000", "5000000.00", "20000000"):
        uscc = (await submit(spine, form(registered_capital=capital))).json()["uscc"]
        await change(spine, uscc, {"area": "310106013"})
    await spine.travel(date(2026, 8, 1))
    await change(spine, uscc, {"registered_capital": "900000", "capital_currency": "CNY"})
    await spine.quiet()

    code, report = rebuild(spine)

    assert (code, report["different"]) == (0, 0)
    assert (report["events"], report["enterprises"]) == (7, 3)


async def test_the_rebuild_reports_a_score_that_nobody_can_derive(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        uscc = await connection.fetchval("UPDATE profile SET score = score + 1 RETURNING uscc")

    code, report = rebuild(spine)

    assert code == 1
    assert report["different"] == 3
    assert uscc in str(report["differences"])


async def test_the_rebuild_reports_a_class_that_was_not_announced(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        await connection.execute("UPDATE profile SET score = score - 1")
        await connection.execute("UPDATE profile SET announced_class = 3 WHERE uscc = (SELECT min(uscc) FROM profile)")

    code, report = rebuild(spine)

    assert (code, report["different"]) == (1, 1)
