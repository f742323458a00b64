"""The audit under faults: a sealer killed at each step, two at once, a database restored to an older copy."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

import asyncpg
import pytest

from deploy.local.stack import CHECKOUT
from libs.common.audit import heads
from tests.faults.test_relay import by_way_of
from tests.faults.test_restore import keep_copy, operator, refuses_to_start, restore
from tests.faults.topics import records
from tests.spine import Spine, eventually, form, get, risk_of, submit

pytestmark = pytest.mark.long


def verified(spine: Spine, service: str) -> tuple[int, dict[str, Any]]:
    """What the command says of a service's audit: its exit code and its one line."""
    done = subprocess.run(
        [sys.executable, "-m", "libs.common.audit", "verify", service], cwd=CHECKOUT, env={**os.environ, **spine.env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    [line] = done.stdout.splitlines() or [done.stderr]
    return done.returncode, json.loads(line)


async def all_published(spine: Spine, service: str) -> int:
    """How many rows the audit has, once all are sealed and published; 0 before that."""
    async with spine.database(service) as connection:
        [(rows, unsealed)] = await connection.fetch(
            "SELECT count(*), count(*) FILTER (WHERE number IS NULL) FROM audit"
        )
        [(count, published)] = await connection.fetch("SELECT count, published FROM audit_head")
    return int(rows) if not unsealed and count == published else 0


async def told_heads(spine: Spine, service: str) -> list[int]:
    """The numbers of the heads in the topic, in order."""
    found = [record for record in await records(spine, heads.TOPIC) if record.key == service.encode()]
    return [heads.decode(record.value).count for record in found]


@pytest.mark.parametrize(
    ("point", "twice"), [("audit.before_seal", 0), ("audit.after_seal", 0), ("audit.after_publish", 1)]
)
async def test_a_sealer_killed_around_sealing_loses_no_row_and_seals_none_twice(
    spine: Spine, point: str, twice: int
) -> None:
    before = await told_heads(spine, "registration") if spine.processes else []
    registration = spine.service("registration").start(ONE_WINDOW_CRASH_AT=point).wait_ready()
    patient_client = asyncio.create_task(submit(spine))
    assert await asyncio.to_thread(registration.wait_ended) == -signal.SIGKILL

    registration.start().wait_ready()
    assert (await patient_client).status_code == 201
    rows = await eventually(lambda: all_published(spine, "registration"))

    code, found = await asyncio.to_thread(verified, spine, "registration")
    assert (code, found["verdict"], found["proved_to"]) == (0, "intact", rows)
    new = (await told_heads(spine, "registration"))[len(before) :]
    assert len(new) - len(set(new)) == twice
    registration.stop()


SEALERS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (classid::bigint << 32) | objid::bigint = hashtextextended('one-window-audit', 0)
"""


async def test_of_two_sealers_one_leads_and_the_other_takes_over(spine: Spine) -> None:
    members = [spine.service("registration"), spine.service("registration", "-other")]
    for member in members:
        member.start().wait_ready()

    ways = [by_way_of(spine, member) for member in members]
    answers = await asyncio.gather(*(submit(way) for way in ways for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    async with spine.database("registration") as connection:
        assert len(await connection.fetch(SEALERS)) == 1
    assert await eventually(lambda: all_published(spine, "registration"))

    members[0].kill()  # it came first, and leads
    assert (await submit(ways[1])).status_code == 201
    rows = await eventually(lambda: all_published(spine, "registration"))
    code, found = await asyncio.to_thread(verified, spine, "registration")
    assert (code, found["proved_to"]) == (0, rows)
    said = await told_heads(spine, "registration")
    assert said == sorted(said)
    members[1].stop()


async def test_a_form_with_faults_and_a_key_sent_again_leave_no_row(spine: Spine) -> None:
    spine.service("registration").start().wait_ready()
    before = await eventually(lambda: all_published(spine, "registration"))
    assert (await submit(spine, {"name": "?"})).status_code == 422
    body = form()
    for _ in range(3):
        assert (await submit(spine, body, key="the-same-key")).status_code == 201
    assert await eventually(lambda: all_published(spine, "registration")) == before + 1


async def test_a_restored_database_is_told_from_a_truncated_audit_and_goes_on_when_it_is_reconciled(
    spine: Spine,
) -> None:
    registration = spine.service("registration")
    kept = await eventually(lambda: all_published(spine, "registration"))
    registration.stop()
    await keep_copy(spine, "registration")
    registration.start().wait_ready()
    for _ in range(2):
        await submit(spine)
    assert await eventually(lambda: all_published(spine, "registration")) == kept + 2
    registration.stop()

    async with spine.database("registration") as connection:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "CREATE TABLE taken AS SELECT * FROM audit WHERE number > $1 - 0".replace("$1", str(kept))
        )
        await connection.execute("DELETE FROM audit WHERE number > $1", kept)
        code, found = await asyncio.to_thread(verified, spine, "registration")
        assert (code, found["verdict"], found["what"], found["first"]) == (1, "tampered", "truncated", kept + 1)
        await connection.execute("INSERT INTO audit SELECT * FROM taken")
        await connection.execute("DROP TABLE taken")
    assert (await asyncio.to_thread(verified, spine, "registration"))[0] == 0

    await restore(spine, "registration")
    code, found = await asyncio.to_thread(verified, spine, "registration")
    assert (code, found["verdict"], found["what"], found["first"]) == (3, "restored", None, kept + 1)
    assert found["lost_events"] >= 2
    await refuses_to_start(registration)
    assert "2 audit rows are lost" in await asyncio.to_thread(
        operator, spine, "libs.common.relay", "reconcile", "registration"
    )

    registration.start().wait_ready()
    await submit(spine)
    await eventually(lambda: all_published(spine, "registration"))
    code, found = await asyncio.to_thread(verified, spine, "registration")
    assert (code, found["verdict"], found["proved_to"]) == (0, "intact", kept + 4)
    assert [(one["lost_from"], one["lost_to"]) for one in found["restores"]] == [(kept + 1, kept + 2)]
    shown = (await get(spine, "/v1/audit/verification", person="auditor-1")).json()
    assert shown["restores"] == [{"lost_from": kept + 1, "lost_to": kept + 2}]
    assert shown["sentence"] == "The audit is what was published of it."


async def test_who_looks_at_a_risk_says_why_and_is_found_by_the_auditor(spine: Spine) -> None:
    spine.up("risk")
    uscc = (await submit(spine)).json()["uscc"]
    assert await eventually(lambda: risk_of(spine, uscc))
    path = f"/v1/enterprises/{uscc}/risk"
    for purposes in ({}, {"purpose": "curiosity"}):
        refused = await get(spine, path, service="risk", person="regulator-1", **purposes)
        assert (refused.status_code, refused.json()["title"]) == (400, "purpose required")
        assert "case_handling" in refused.json()["detail"]

    audit = "/v1/audit?actor=regulator-1&limit=1&subject="
    page = (await get(spine, audit + uscc, service="risk", person="auditor-1")).json()
    [entry] = page["items"]
    assert (entry["action"], entry["object"], entry["details"]) == ("look", path, {"purpose": "case_handling"})
    assert (await get(spine, audit + "somebody", service="risk", person="auditor-1")).json()["items"] == []
    assert (await get(spine, audit + uscc, service="risk", person="regulator-1")).status_code == 403
    assert (await get(spine, audit + uscc, service="risk", person=None)).status_code == 401

    assert await eventually(lambda: all_published(spine, "risk"))
    assert (await asyncio.to_thread(verified, spine, "risk"))[0] == 0
    async with spine.database("risk") as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never deleted"):
            await connection.execute("DELETE FROM audit")


@pytest.mark.parametrize("query", ["subject=%00", "actor=", "cursor=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5Il0", "limit=201"])
async def test_a_question_that_no_audit_could_answer_is_a_problem(spine: Spine, query: str) -> None:
    answer = await get(spine, f"/v1/audit?{query}", person="auditor-1")
    assert (answer.status_code, answer.json()["title"]) == (422, "malformed")


async def test_the_audit_is_read_page_by_page_without_gap_or_repetition(spine: Spine) -> None:
    seen: list[int] = []
    path = "/v1/audit?limit=3"
    while path:
        page = (await get(spine, path, person="auditor-1")).raise_for_status().json()
        seen += [entry["number"] for entry in page["items"]]
        path = f"/v1/audit?limit=3&cursor={page['next']}" if page["next"] else ""
    async with spine.database("registration") as connection:
        rows = await connection.fetch("SELECT number FROM audit ORDER BY id DESC")
    assert seen == [row["number"] for row in rows]
