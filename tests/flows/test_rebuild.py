"""What the topics say, replayed from nothing, is what the live table shows."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import numpy as np
import pytest

from deploy.local.stack import CHECKOUT
from services.risk import packed
from tests.faults.topics import event, everything_is_taken, put
from tests.spine import Spine, change, eventually, form, get, owned_by, recovery_reports, risk_of, submit

AREA = "310106013"


def command(spine: Spine, name: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", f"services.risk.{name}", *arguments],
        cwd=CHECKOUT, env={**os.environ, **spine.env}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def rebuild(spine: Spine) -> tuple[int, dict[str, object]]:
    code, said = command(spine, "rebuild")
    return code, json.loads(said)


async def test_the_rebuild_equals_the_live_table_after_changes_and_months(spine: Spine) -> None:
    spine.up("registration", "risk")
    codes = []
    for capital, owners in (("800000", "one"), ("5000000.00", "other"), ("20000000", "one")):
        uscc = (await submit(spine, form(registered_capital=capital, **owned_by(owners)))).json()["uscc"]
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
    async with spine.database("risk") as connection:
        taken = await connection.fetchval("SELECT sum(next_offset) FROM position")
    assert (report["events"], report["enterprises"]) == (taken, 3), "what risk itself said among them"


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


async def test_ties_that_were_never_kept_are_taken_from_the_topic_beside_the_service(spine: Spine) -> None:
    """As after a release that keeps them for the first time."""
    tables = ("tie", "shared_address", "burden", "related_signal")
    async with spine.database("risk") as connection:
        kept = {name: await connection.fetch(f"SELECT * FROM {name} ORDER BY 1, 2, 3") for name in tables[::3]}
        assert all(kept.values())
        await connection.execute(f"TRUNCATE {', '.join(tables)}")

    code, report = rebuild(spine)
    assert (code, report["different"]) == (1, len(kept["related_signal"]))
    assert "its relatives amount to" in str(report["differences"])

    code, said = command(spine, "again", "registration")

    assert (code, "events taken again" in said.splitlines()[-1]) == (0, True)
    await spine.quiet()
    async with spine.database("risk") as connection:
        for name, rows in kept.items():
            assert await connection.fetch(f"SELECT * FROM {name} ORDER BY 1, 2, 3") == rows
    code, report = rebuild(spine)
    assert (code, report["different"]) == (0, 0)


async def test_what_an_older_release_did_not_keep_is_taken_again_beside_the_running_service(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        uscc = await connection.fetchval("SELECT min(uscc) FROM profile WHERE area = $1", AREA)
        before = await risk_of(spine, uscc)
        told = await connection.fetchval("SELECT count(*) FROM class_change")
        await as_before_areas_were_kept(connection, uscc)
    assert await areas(spine, uscc) == (None, 1)

    code, said = command(spine, "again")
    assert (code, "events taken again" in said) == (0, True)
    assert await areas(spine, uscc) == (AREA, 0)
    assert await risk_of(spine, uscc) == before
    async with spine.database("risk") as connection:
        assert await connection.fetchval("SELECT count(*) FROM class_change") == told, "what stands is not said again"
    await spine.quiet()
    code, report = rebuild(spine)
    assert (code, report["different"]) == (0, 0)


async def as_before_areas_were_kept(connection: asyncpg.Connection, uscc: str) -> None:
    live = np.frombuffer(await connection.fetchval("SELECT live FROM fact_sheet WHERE uscc = $1", uscc), packed.PACKED)
    kept = live[live["indicator"] != packed.code("area")]
    assert len(kept) == len(live) - 1
    await connection.execute("UPDATE fact_sheet SET live = $2 WHERE uscc = $1", uscc, kept.tobytes())
    row = await connection.fetchrow("UPDATE profile SET area = NULL WHERE uscc = $1 RETURNING *", uscc)
    counted = row["partition"], row["risk_class"]
    which = "(dimension, key, partition, risk_class) = ('area', $1, $2, $3)"
    await connection.execute(f"UPDATE counter SET enterprises = enterprises - 1 WHERE {which}", AREA, *counted)
    await connection.execute("INSERT INTO counter VALUES ($1, 'area', '', $2, 1)", *counted)


async def areas(spine: Spine, uscc: str) -> tuple[str | None, int]:
    """The area of an enterprise, and how many are counted under none."""
    async with spine.database("risk") as connection:
        area = await connection.fetchval("SELECT area FROM profile WHERE uscc = $1", uscc)
        nowhere = "SELECT sum(enterprises)::int FROM counter WHERE (dimension, key) = ('area', '')"
        return area, await connection.fetchval(nowhere)


async def test_the_rebuild_reports_a_score_that_nobody_can_derive(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        uscc = await connection.fetchval("UPDATE profile SET score = score + 1 RETURNING uscc")

    code, report = rebuild(spine)

    assert code == 1
    assert report["different"] == 3
    assert uscc in str(report["differences"])


@pytest.mark.parametrize("outcome", ["equal", "different"])
async def test_each_rebuild_leaves_a_signed_report_of_what_it_compared(spine: Spine, outcome: str) -> None:
    lines = [line for line in await recovery_reports(spine, "risk") if line["outcome"] == outcome]
    assert lines
    assert {(line["kind"], line["verification"]) for line in lines} == {("rebuild", "verified")}
    path = f"/v1/recovery-reports/{lines[0]['id']}"
    whole = (await get(spine, path, service="risk", person="auditor-1")).json()["document"]
    assert whole["cut"]["positions"]
    assert whole["cut"]["dates"]
    compared = set(whole["compared"].values())
    assert len(whole["compared"]) == 2
    assert len(compared) == (1 if outcome == "equal" else 2), whole["compared"]
    assert bool(whole["differences"]) == (outcome == "different")


async def test_the_rebuild_reports_a_class_that_was_not_announced(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        await connection.execute("UPDATE profile SET score = score - 1")
        await connection.execute(
            "UPDATE profile SET announced_class = 3 - announced_class WHERE uscc = (SELECT min(uscc) FROM profile)"
        )

    code, report = rebuild(spine)

    assert (code, report["different"]) == (1, 2), "neither the class nor what was said last"
