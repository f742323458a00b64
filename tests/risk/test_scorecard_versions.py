"""Scorecards as versions: handed in, refused with all faults, edited, and put in force by two people."""

from __future__ import annotations

import asyncio
import copy
import csv
import io
from typing import Any

import asyncpg
import httpx
import pytest

from services.risk import scorecards
from services.risk.domain import SCALE, ScorecardError
from services.risk.scorecards import POLICY
from tests.spine import Spine, eventually, get, post

CARDS = "/v1/scorecards"
ANALYST, REGULATOR = "analyst-1", "regulator-1"
WHY = {"reason": "the comparison was looked through"}


def document(name: str = "district-2026-x", points: int = 29) -> dict[str, Any]:
    """The shipped scorecard with another name and other points for a young enterprise."""
    written = copy.deepcopy(scorecards.to_document(scorecards.shipped()))
    young = next(rule for rule in written["rules"] if rule["name"] == "newly_registered")
    young["steps"][0]["points"] = points
    return {**written, "name": name, "valid_from": "2026-01-01"}


async def hand_in(spine: Spine, body: dict[str, Any], path: str = CARDS) -> httpx.Response:
    return await post(spine, path, body, service="risk", person=ANALYST)


async def act(
    spine: Spine, digest: str, what: str, version: int, *, person: str = ANALYST, body: dict[str, Any] | None = None
) -> httpx.Response:
    given = WHY if body is None and not what.endswith("signature") else body
    return await post(spine, f"{CARDS}/{digest}{what}", given, service="risk", person=person, if_match=version)


async def card(spine: Spine, digest: str) -> dict[str, Any]:
    return (await get(spine, f"{CARDS}/{digest}", service="risk", person=ANALYST)).raise_for_status().json()


def test_a_document_gives_the_scorecard_back() -> None:
    shipped = scorecards.shipped()
    again = scorecards.from_document(scorecards.to_document(shipped))
    assert again == shipped
    assert again.digest == shipped.digest


def test_everything_that_is_wrong_with_a_document_is_told_at_once() -> None:
    written = document()
    written["rules"][0]["cap"] = -1
    written["rules"][1]["steps"] = [{**written["rules"][2]["steps"][0], "points": 9_000}]
    written["bands"][2]["from_score"] = 0
    with pytest.raises(ScorecardError) as refused:
        scorecards.from_document(written)
    places = {defect.at: defect.code for defect in refused.value.defects}
    assert places["rules.0"] == "cap_out_of_range"
    assert places["rules.1.steps.0"] == "points_out_of_range"
    assert places["bands.2"] == "band_out_of_order"


async def test_the_release_brings_the_first_scorecard_into_force(spine: Spine) -> None:
    spine.up("risk")
    [first] = (await get(spine, CARDS, service="risk", person=REGULATOR)).json()["items"]
    assert (first["state"], first["drafted_by"], first["digest"]) == ("active", "release", scorecards.shipped().digest)
    whole = await card(spine, first["digest"])
    assert [line["act"] for line in whole["history"]] == ["activated"]
    assert scorecards.from_document(whole["document"]) == scorecards.shipped()


async def test_a_draft_is_refused_with_every_fault_and_its_path_in_both_languages(spine: Spine) -> None:
    written = document()
    written["rules"][0]["indicator"] = "foreign_invested"
    written["rules"][1]["cap"] = SCALE + 1
    refused = await hand_in(spine, written)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith(":scorecard-unfit")
    found = {(fault["field"], fault["code"]) for fault in refused.json()["errors"]}
    assert {("rules.0", "weightless_indicator"), ("rules.1", "cap_out_of_range")} <= found
    misshapen = document()
    misshapen["rules"][0]["cap"] = "many"
    del misshapen["bands"][0]["source"]
    shape = await hand_in(spine, misshapen)
    assert {fault["field"] for fault in shape.json()["errors"]} == {"rules.0.cap", "bands.0.source"}
    unsayable = {**document(), "rules": [], "features": {"not_loadable": [{"feature": "x", "reason": "no rule"}]}}
    fields = {fault["field"]: fault["code"] for fault in (await hand_in(spine, unsayable)).json()["errors"]}
    assert fields == {"rules": "scorecard_empty", "features.not_loadable.0": "scorecard_not_loadable"}


async def test_a_draft_is_edited_from_the_version_that_was_read_and_named_by_what_it_decides(spine: Spine) -> None:
    kept = (await hand_in(spine, {**document("editing", 28), "provenance": {"seed": 7}})).raise_for_status().json()
    assert (kept["state"], kept["version"], kept["document"]["provenance"]) == ("draft", 1, {"seed": 7})
    again = await hand_in(spine, document("other-name", 28))
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "scorecard-known")

    path, better = f"{CARDS}/{kept['digest']}", document("editing", 27)
    blind = await post(spine, path, better, service="risk", person=ANALYST, method="PUT")
    assert blind.status_code == 428
    edited = await post(spine, path, better, service="risk", person=ANALYST, method="PUT", if_match=1)
    after = edited.raise_for_status().json()
    assert after["digest"] == scorecards.from_document(better).digest != kept["digest"]
    assert edited.headers["location"] == f"{CARDS}/{after['digest']}"
    late = await post(spine, f"{CARDS}/{after['digest']}", document("editing", 26), service="risk", person=ANALYST,
                      method="PUT", if_match=1)  # fmt: skip
    assert late.status_code == 412
    assert (await get(spine, path, service="risk", person=ANALYST)).status_code == 404
    assert [line["act"] for line in after["history"]] == ["drafted", "edited"]


async def test_an_indicator_that_nobody_states_is_named(spine: Spine) -> None:
    written = document("with-taxes")
    written["rules"].append({**written["rules"][0], "name": "tax_grade", "indicator": "tax_credit_grade", "cap": 1,
                             "steps": []})  # fmt: skip
    kept = (await hand_in(spine, written)).raise_for_status().json()
    assert "tax_credit_grade" in kept["unknown_indicators"]


def tables(name: str = "as-tables") -> dict[str, Any]:
    folder = POLICY / scorecards.shipped().name
    found = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}
    return {"name": name, **found}


def rewritten(text: str, line: int, column: str, value: str) -> str:
    rows = list(csv.reader(io.StringIO(text)))
    rows[line - 1][rows[0].index(column)] = value
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


async def test_tables_are_the_same_scorecard_and_their_faults_are_told_by_file_and_line(spine: Spine) -> None:
    known = await hand_in(spine, tables(), f"{CARDS}/tables")
    assert known.json()["detail"].count(scorecards.shipped().digest) == 1  # the shipped one is in force already
    cheaper = {**tables(), "steps": rewritten(tables()["steps"], 2, "points", "23")}
    kept = (await hand_in(spine, cheaper, f"{CARDS}/tables")).raise_for_status().json()
    assert kept["document"]["name"] == "as-tables"

    unfit = tables()
    unfit["rules"] = rewritten(rewritten(unfit["rules"], 2, "cap", "many"), 4, "required", "perhaps")
    unfit["steps"] = rewritten(rewritten(unfit["steps"], 3, "rule", "none_such"), 6, "valid_from", "2027-01-01")
    unfit["bands"] += "E,1,2\n"
    refused = await hand_in(spine, unfit, f"{CARDS}/tables")
    found = {fault["field"]: fault["code"] for fault in refused.json()["errors"]}
    lines = unfit["bands"].count("\n")
    assert found == {
        "rules.csv:2.cap": "int_type", "rules.csv:4.required": "bool_type", "steps.csv:3": "csv_no_such_rule",
        "steps.csv:6": "valid_from_differs", f"bands.csv:{lines}": "csv_cells",
    }  # fmt: skip
    crowded = {**tables(), "steps": rewritten(tables()["steps"], 2, "points", "999")}
    defects = (await hand_in(spine, crowded, f"{CARDS}/tables")).json()["errors"]
    assert [(fault["field"], fault["code"]) for fault in defects] == [("steps.csv:2", "points_out_of_range")]


async def test_a_scorecard_is_not_for_regulators_to_draft_nor_for_applicants_to_see(spine: Spine) -> None:
    assert (await post(spine, CARDS, document(), service="risk", person=REGULATOR)).status_code == 403
    assert (await get(spine, CARDS, service="risk", person="applicant-1")).status_code == 403


async def compared(spine: Spine, name: str, points: int) -> dict[str, Any]:
    """A scorecard in the shadow, when every enterprise is scored by it."""
    kept = (await hand_in(spine, document(name, points))).raise_for_status().json()
    (await act(spine, kept["digest"], "/shadow", 1)).raise_for_status()

    async def complete() -> dict[str, Any] | None:
        shown = await card(spine, kept["digest"])
        return shown if shown["progress"]["complete_since"] else None

    return dict(await eventually(complete))


async def test_two_people_put_a_scorecard_in_force_and_two_take_it_back(spine: Spine) -> None:
    before = next(one for one in await everything(spine) if one["state"] == "active")
    better = await compared(spine, "better", 21)
    taken = (await hand_in(spine, document("another", 20))).json()
    in_the_way = await act(spine, taken["digest"], "/shadow", 1)
    assert in_the_way.json()["type"].endswith(":shadow-taken")

    unproposed = await act(spine, better["digest"], "/activation/signature", better["version"], person=REGULATOR)
    assert unproposed.json()["type"].endswith(":nothing-proposed")
    proposed = (await act(spine, better["digest"], "/activation", better["version"])).raise_for_status().json()
    assert proposed["proposal"]["proposed_by"] == ANALYST
    alone = await act(spine, better["digest"], "/activation/signature", proposed["version"])
    assert alone.json()["type"].endswith(":second-person-needed")
    unread = await act(spine, better["digest"], "/activation/signature", better["version"], person=REGULATOR)
    assert unread.status_code == 412  # from before the proposal
    both = await asyncio.gather(*(
        act(spine, better["digest"], "/activation/signature", proposed["version"], person=REGULATOR) for _ in range(2)
    ))  # fmt: skip
    assert sorted(answer.status_code for answer in both) == [200, 412]
    states = {one["digest"]: one["state"] for one in await everything(spine)}
    assert (states[better["digest"]], states[before["digest"]]) == ("active", "shadow")

    back = await post(spine, f"{CARDS}/rollback", WHY, service="risk", person=ANALYST)
    offered = back.raise_for_status().json()
    assert (offered["digest"], offered["proposal"]["rollback"]) == (before["digest"], True)
    await act(spine, before["digest"], "/activation/signature", offered["version"], person=REGULATOR)
    after = await card(spine, before["digest"])
    assert after["state"] == "active"
    assert [line["act"] for line in after["history"]][-3:] == ["replaced", "rollback_proposed", "rolled_back_to"]
    async with spine.database("risk") as connection:
        newest = "SELECT digest FROM active_scorecard ORDER BY activated_at DESC LIMIT 1"
        assert await connection.fetchval(newest) == before["digest"]


async def test_a_withdrawn_shadow_takes_its_proposal_with_it(spine: Spine) -> None:
    given_up = next(one for one in await everything(spine) if one["state"] == "shadow")
    await act(spine, given_up["digest"], "/withdrawal", given_up["version"])
    assert (await card(spine, given_up["digest"]))["state"] == "retired"  # it was in force once
    shadow = await compared(spine, "given-up", 19)
    proposed = (await act(spine, shadow["digest"], "/activation", shadow["version"])).json()
    withdrawn = await act(spine, shadow["digest"], "/withdrawal", proposed["version"])
    assert (withdrawn.json()["state"], withdrawn.json()["proposal"]) == ("withdrawn", None)
    late = await act(spine, shadow["digest"], "/activation/signature", withdrawn.json()["version"], person=REGULATOR)
    assert late.json()["type"].endswith(":scorecard-wrong-state")


async def test_history_is_added_to_and_never_rewritten(spine: Spine) -> None:
    async with spine.database("risk") as connection:
        for rewriting in ("UPDATE scorecard_event SET reason = 'x'", "DELETE FROM scorecard_event"):
            with pytest.raises(asyncpg.RaiseError):
                await connection.execute(rewriting)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE activation SET decided_by = proposed_by WHERE outcome = 'signed'")


async def everything(spine: Spine) -> list[dict[str, Any]]:
    spine.up("risk")
    return list((await get(spine, CARDS, service="risk", person=ANALYST)).raise_for_status().json()["items"])
