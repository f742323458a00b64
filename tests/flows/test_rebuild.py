"""What the topics say, replayed from nothing, is what the live table shows."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from typing import Any
from uuid import uuid4

from deploy.local.stack import CHECKOUT
from tests.faults.topics import event, everything_is_taken, put
from tests.spine import Spine, change, eventually, form, risk_of, submit


def rebuild(spine: Spine) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "services.risk.rebuild"],
        cwd=CHECKOUT, env={**os.environ, **spine.env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


async def test_the_rebuild_equals_the_live_table_after_changes_and_months(spine: Spine) -> None:
    spine.up("registration", "risk")
    codes = []
    for capital in ("800000", "5000000.00", "20000000"):
        uscc = (await submit(spine, form(registered_capital=capital))).json()["uscc"]
        await change(spine, uscc, {"area": "310106013"})
        codes.append(uscc)
    before = {code: await eventually(lambda code=code: risk_of(spine, code)) for code in codes}
    await say_what_others_found(spine, *codes)
    await spine.quiet()
    after = {code: await risk_of(spine, code) for code in codes}
    assert after[codes[0]]["risk_class"] == "D", "it stands on the serious list"
    assert after[codes[1]]["score"] == before[codes[1]]["score"], "repaired, erased, delisted"
    assert after[codes[2]]["score"] > before[codes[2]]["score"]

    code, report = rebuild(spine)
    assert (code, report["different"]) == (0, 0)

    await spine.travel(date(2026, 8, 1))
    await change(spine, uscc, {"registered_capital": "900000", "capital_currency": "CNY"})
    await spine.quiet()

    code, report = rebuild(spine)

    assert (code, report["different"]) == (0, 0)
    assert (report["events"], report["enterprises"]) == (25, 3), "forms filed and decided among them"


async def say_what_others_found(spine: Spine, listed: str, cleared: str, caught: str) -> None:
    """Facts of every source of risk, those that replace or erase an earlier one among them."""
    record, repaired, listing, serious = (str(uuid4()) for _ in range(4))
    day = "2026-01-05"
    breach: dict[str, Any] = {"kind": "commitment_breach", "effective_on": day}
    abnormal = {"listing_id": listing, "list": "abnormal_operation"}
    inspected = {"inspection_id": str(uuid4()), "problem": True, "refused": True, "unreachable": False}
    said = [
        (cleared, "credit.record_accepted", {"record_id": record, **breach}),
        (cleared, "credit.record_erased", {"record_id": record, "erased_on": day}),
        (cleared, "credit.record_accepted", {"record_id": repaired, **breach}),
        (cleared, "credit.repair_decided", {
            "target": repaired, "record_kind": "commitment_breach", "granted": True, "decided_on": day,
        }),
        (cleared, "credit.subject_listed", {**abnormal, "listed_on": day}),
        (cleared, "credit.subject_delisted", {**abnormal, "reason": "objection_upheld", "delisted_on": day}),
        (listed, "credit.subject_listed", {
            "listing_id": serious, "list": "serious_illegal_dishonest", "listed_on": day,
        }),
        (listed, "licensing.permit_revoked", {
            "permit_id": str(uuid4()), "reason": "commitment_unkept", "revoked_on": day,
        }),
        (caught, "supervision.inspection_completed", {**inspected, "completed_on": day}),
        (caught, "supervision.inspection_completed", {
            "inspection_id": str(uuid4()), "problem": False, "refused": False, "unreachable": True, "completed_on": day,
        }),
        (caught, "credit.record_accepted", {"record_id": str(uuid4()), "kind": "penalty", "effective_on": day}),
        (caught, "licensing.permit_revoked", {
            "permit_id": str(uuid4()), "reason": "enterprise_deregistered", "revoked_on": day,
        }),
    ]  # fmt: skip
    sequences: Counter[tuple[str, str]] = Counter()
    for uscc, name, data in said:
        service = name.partition(".")[0]
        sequences[service, uscc] += 1
        told = event(uscc, sequences[service, uscc], data, type=f"{name}.v1", source=f"/jingan/{service}")
        await put(spine, told, topic=f"{service}.events")
    for service in ("credit", "licensing", "supervision"):
        await eventually(lambda service=service: everything_is_taken(spine, "risk", f"{service}.events"))


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
        await connection.execute(
            "UPDATE profile SET announced_class = 3 - announced_class WHERE uscc = (SELECT min(uscc) FROM profile)"
        )

    code, report = rebuild(spine)

    assert (code, report["different"]) == (1, 1)
