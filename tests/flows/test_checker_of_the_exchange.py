"""The outside checker on the exchange with the city and on the lobby's timeline: right as they are, and then broken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from deploy import city
from deploy.city import record
from tests.checker import Attempt, Target, check
from tests.checker.check import CHECKS
from tests.checker.commands import digest
from tests.checker.credit import the_city_is_told_what_was_said
from tests.checker.evidence import ANSWERS, Evidence, gather
from tests.faults.topics import everything_is_taken
from tests.flows.copies import copied
from tests.spine import Spine, eventually, get, post, submit

SERVICES = ("registration", "credit", "lobby")


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """A run whose services have stopped: one enterprise, seven records of the city, a listing by an officer."""

    target: Target
    attempts: tuple[Attempt, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(spine: Spine) -> Told:
    spine.up(*SERVICES)
    place = spine.stack.bootstrap_servers, spine.namespace
    filed = await submit(spine)
    uscc = filed.json()["uscc"]

    async def known() -> bool:
        return (await get(spine, f"/v1/enterprises/{uscc}/credit", service="credit")).status_code == 200

    await eventually(known)
    first = record("sh-1", uscc, ground="PP2")
    newer = record("sh-1", uscc, ground="PP1", version=2)
    rejected = record("sh-2", uscc, kind="gossip")
    await city.send(*place, [first, first, rejected, rejected, newer, record("sh-3", uscc), b"{"])
    await eventually(lambda: everything_is_taken(spine, "credit", city.RECORDS))
    listing = {"list": "serious_illegal_dishonest", "ground": "SE-GEN", "basis": await _a_record(spine, uscc)}
    path = f"/v1/enterprises/{uscc}/listings"
    listed = await post(spine, path, listing, service="credit", person="credit-1")
    assert listed.status_code == 201, listed.text
    await spine.quiet()
    for process in spine.processes.values():
        process.stop()
    stack = spine.stack
    target = Target(stack.bootstrap_servers, stack.database_url, spine.namespace, SERVICES, patience=5)
    return Told(target, (_attempt(filed, "registration", "applicant-1"), _attempt(listed, "credit", "credit-1")))


async def _a_record(spine: Spine, uscc: str) -> str:
    seen = await get(spine, f"/v1/enterprises/{uscc}/credit", service="credit")
    return str(seen.json()["records"][0]["id"])


def _attempt(answer: Any, service: str, caller: str) -> Attempt:
    asked = answer.request
    key, body = asked.headers["idempotency-key"], digest(asked.content)
    return Attempt(asked.url.path, key, body, answer.status_code, answer.text, service, caller=caller)


async def test_nothing_is_found_in_an_exchange_that_went_well(told: Told) -> None:
    report = await check(told.target, told.attempts)

    assert report.violations == ()
    assert len(report.checks) < len(CHECKS), "risk did not run"
    looked_at = {one.sentence: one.looked_at for one in report.checks}
    assert looked_at["every record of the city is accounted for once"] == 7
    assert looked_at["the city is told what credit said, of each record once"] == 5
    assert looked_at["the timeline has each event once"] >= 9


# service, what is done to a copy of its database, the invariants broken by it, and a word of what is said about it.
CORRUPTIONS: dict[str, tuple[str, str, set[str], str]] = {
    "a record of the city that nobody accounts for": (
        "credit", "DELETE FROM received WHERE record_id = 'sh-3'", {"I2"}, "read, and not accounted for"),
    "an account of a record that never came": (
        "credit", "UPDATE received SET place = 'city.credit.records:0:99' WHERE record_id = 'sh-3'", {"I2"},
        "is not the record that stands there"),
    "an account of other bytes": (
        "credit", "UPDATE received SET digest = sha256('x') WHERE record_id = 'sh-3'", {"I2"},
        "is not the record that stands there"),
    "a record counted twice": (
        "credit", "UPDATE received_count SET records = records + 1", {"I2"}, "counted"),
    "a record judged otherwise than it was answered": (
        "credit", "UPDATE received SET outcome = 'rejected' WHERE record_id = 'sh-3'", {"I2"}, "said 0 times"),
    "records of the city that were not read": (
        "credit", "UPDATE position SET next_offset = 0 WHERE topic LIKE '%city.credit.records'", {"I2"}, "stands at 0"),
    "a listing is gone": (
        "credit", "DELETE FROM listing", {"I1", "I6", "I8"}, "there is no such row"),
    "a listing that nobody asked for": (
        "credit", """INSERT INTO listing (id, uscc, list, ground, basis, listed_on, state, decision)
        SELECT gen_random_uuid(), uscc, list, 'other', basis, listed_on, state, decision FROM listing""", {"I6", "I8"},
        "an effect that no key claims"),
    "a listing's answer is not kept": (
        "credit", "DELETE FROM idempotency", {"I1", "I8"}, "no answer is kept"),
    "a listing that the audit does not know": (
        "credit", "DELETE FROM audit WHERE actor = 'credit-1' AND object LIKE '%/listings'", {"I9"},
        "not in the audit as often"),
    "an answer kept for somebody else": (
        "credit", "UPDATE idempotency SET caller = 'credit-2'", {"I8", "I9"}, "the answer is not kept"),
    "an event that is not on the timeline": (
        "lobby", "DELETE FROM timeline_entry WHERE type LIKE '%subject_listed%'", {"I2"}, "not on the timeline"),
    "a line that nobody said": (
        "lobby", """INSERT INTO timeline_entry (event_id, source, type, uscc, time, codes)
        SELECT gen_random_uuid(), source, type, uscc, time, codes FROM timeline_entry LIMIT 1""", {"I2"},
        "a line that no event is behind"),
    "a line under another enterprise": (
        "lobby", "UPDATE timeline_entry SET uscc = 'x' WHERE type LIKE '%record_accepted%'", {"I2"},
        "under another enterprise"),
    "a line under another application": (
        "lobby", """UPDATE timeline_entry SET application_id = gen_random_uuid()
        WHERE type LIKE '%application_submitted%'""", {"I2"}, "under another application"),
    "what is internal shown to all": (
        "lobby", """INSERT INTO risk_event SELECT event_id, uscc, time, codes, type FROM timeline_entry
        WHERE type LIKE '%subject_listed%'""", {"I2"}, "on the wrong timeline"),
}  # fmt: skip


@pytest.mark.parametrize(("service", "sql", "broken", "said"), CORRUPTIONS.values(), ids=CORRUPTIONS)
async def test_what_is_broken_in_a_copy_of_the_rows_is_found(
    told: Told, service: str, sql: str, broken: set[str], said: str
) -> None:
    async with copied(told.target, service, sql) as target:
        report = await check(target, told.attempts)

    assert report.broken == broken, report.violations
    assert any(said in violation for violation in report.violations), report.violations


def _untold(outcomes: list[Any]) -> list[Any]:
    return outcomes[1:]


def _told_otherwise(outcomes: list[Any]) -> list[Any]:
    return [_with(outcomes[0], value=outcomes[0].value + b" "), *outcomes[1:]]


def _never_said(outcomes: list[Any]) -> list[Any]:
    headers = [(n, b"0" * 32 if n == "ce_id" else text) for n, text in outcomes[0].headers]
    return [*outcomes, _with(outcomes[0], headers=headers)]


def _unreadable(outcomes: list[Any]) -> list[Any]:
    return [*outcomes, _with(outcomes[0], headers=[])]


def _twice(outcomes: list[Any]) -> list[Any]:
    return outcomes + outcomes


def _with(record: Any, **changes: Any) -> Any:
    return dataclasses.replace(record, **changes)


@pytest.mark.parametrize(
    ("distort", "said"),
    [
        (_untold, "the city was not told"),
        (_told_otherwise, "the city was told otherwise"),
        (_never_said, "the city was told what credit never said"),
        (_unreadable, "nobody can read it"),
        (_twice, None),
    ],
)
async def test_what_the_city_is_told_is_what_credit_said(
    told: Told, distort: Callable[[list[Any]], list[Any]], said: str | None
) -> None:
    evidence: Evidence = await gather(told.target)
    name = ANSWERS["credit"]
    outside = {**evidence.outside, name: distort(list(evidence.outside[name]))}

    violations = the_city_is_told_what_was_said(dataclasses.replace(evidence, outside=outside)).violations

    assert (not violations) if said is None else said in violations[0]
