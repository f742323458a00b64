"""Corrections on a real database: ordered, met in time or late, overdue by themselves, met on the spot."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.supervision import use_cases
from tests.supervision.bureau import CLEAN, PROBLEM, START, Bureau

TYPES = ("correction_ordered", "correction_met", "correction_overdue")
DUE = date(2026, 1, 26)
"""15 working days after 5 January."""


async def ordered(bureau: Bureau, uscc: str | None = None) -> tuple[str, UUID]:
    """An enterprise that was ordered to correct, and the correction."""
    await bureau.employs("inspector-1", "inspector-2", "inspector-3")
    uscc = uscc or await bureau.registered()
    visit = await bureau.completes(await bureau.sends(uscc, inspectors=("inspector-1", "inspector-2")), PROBLEM)
    return uscc, (await bureau.row("SELECT id FROM correction WHERE inspection_id = $1", visit.id))["id"]


async def told(bureau: Bureau, uscc: str) -> list[str]:
    return [type for type, _ in await bureau.said(uscc, *TYPES)]


async def test_a_problem_is_ordered_to_be_corrected_within_the_districts_term(bureau: Bureau) -> None:
    uscc, id = await ordered(bureau)
    row = await bureau.row("SELECT * FROM correction WHERE id = $1", id)
    assert (row["state"], row["ordered_on"], row["due_on"], row["due_on_provisional"]) == (
        "ordered", START, DUE, False,
    )  # fmt: skip
    [(_, said)] = await bureau.said(uscc, "correction_ordered")
    assert (said["correction_id"], said["due_on"]) == (str(id), "2026-01-26")
    types = [type for type, _ in await bureau.said(uscc)]
    assert types == ["inspection_assigned", "inspection_completed", "correction_ordered"]


async def test_nothing_is_ordered_where_nothing_was_found_or_the_visit_could_not_take_place(bureau: Bureau) -> None:
    await bureau.employs("inspector-1", "inspector-2")
    uscc = await bureau.registered()
    for results in (CLEAN, [("joint_inspection", "04")], [("joint_inspection", "10")]):
        await bureau.completes(await bureau.sends(uscc), results)
    assert await told(bureau, uscc) == []


async def test_what_was_corrected_during_the_visit_is_ordered_and_met_at_once(bureau: Bureau) -> None:
    await bureau.employs("inspector-1", "inspector-2")
    uscc = await bureau.registered()
    await bureau.completes(await bureau.sends(uscc), [("joint_inspection", "02")])
    assert await told(bureau, uscc) == ["correction_ordered", "correction_met"]
    await bureau.time_passes(date(2026, 6, 1))
    assert await told(bureau, uscc) == ["correction_ordered", "correction_met"]


async def test_is_in_time_on_its_last_day_and_overdue_the_day_after(bureau: Bureau) -> None:
    uscc, _ = await ordered(bureau)
    await bureau.time_passes(DUE)
    assert await told(bureau, uscc) == ["correction_ordered"]

    await bureau.time_passes(DUE + timedelta(days=20))

    [(_, said)] = await bureau.said(uscc, "correction_overdue")
    assert said["overdue_on"] == "2026-01-27", "judged on its own day, however late it runs"


async def test_met_in_time_it_never_falls_overdue(bureau: Bureau) -> None:
    uscc, id = await ordered(bureau)
    await bureau.time_passes(date(2026, 1, 15))
    met = await bureau.meets(id, "inspector-1")
    assert (met.state, met.met_on) == ("met", date(2026, 1, 15))
    await bureau.time_passes(date(2026, 6, 1))
    assert await told(bureau, uscc) == ["correction_ordered", "correction_met"]
    with pytest.raises(use_cases.AlreadyMet):
        await bureau.meets(id, None)


async def test_met_late_it_is_overdue_first(bureau: Bureau) -> None:
    uscc, id = await ordered(bureau)
    await bureau.time_passes(date(2026, 4, 1))
    await bureau.meets(id, None)
    assert await told(bureau, uscc) == ["correction_ordered", "correction_overdue", "correction_met"]
    row = await bureau.row("SELECT overdue_on, met_on FROM correction WHERE id = $1", id)
    assert row["overdue_on"] < row["met_on"] == date(2026, 4, 1)


async def test_only_who_was_there_or_a_supervisor_finds_it_met(bureau: Bureau) -> None:
    _, id = await ordered(bureau)
    with pytest.raises(use_cases.CorrectionUnknown):
        await bureau.meets(id, "inspector-3")
    assert (await bureau.meets(id, "inspector-2")).state == "met"


async def test_of_two_who_find_it_met_at_once_one_is_first(bureau: Bureau) -> None:
    uscc, id = await ordered(bureau)
    done = await asyncio.gather(bureau.meets(id, "inspector-1"), bureau.meets(id, None), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["AlreadyMet", "Correction"]
    assert await told(bureau, uscc) == ["correction_ordered", "correction_met"]


async def test_a_check_of_a_commitment_names_it_in_everything_that_follows(bureau: Bureau) -> None:
    await bureau.employs("inspector-1", "inspector-2", department="fire_and_rescue")
    uscc = await bureau.registered()
    commitment = await bureau.commits(uscc)
    visit = await bureau.sends(uscc, reason="commitment_check", commitment_id=commitment, item_id=None)
    await bureau.completes(visit, PROBLEM)
    await bureau.time_passes(date(2026, 4, 1))
    said = await bureau.said(uscc, "inspection_completed", *TYPES)
    assert [type for type, _ in said] == ["inspection_completed", "correction_ordered", "correction_overdue"]
    assert {data["commitment_id"] for _, data in said} == {str(commitment)}
    rows = await bureau.rows("SELECT DISTINCT correlation_id FROM outbox WHERE subject = $1", uscc)
    assert [row["correlation_id"] for row in rows] == ["case-1"], "one case from the commitment to the end"
