"""Regulators search enterprises: every filter finds what looking at each would find, and by an index."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
import pytest_asyncio
from pyarrow import parquet

from services.risk.domain import RiskClass
from services.risk.domain.sections import divisions_of, section_of
from services.risk.repository.search import Filters, page_query
from tests.risk.window import TODAY, Window, listed, moved, open_window, penalised, registered, usccs
from tests.spine import Spine

SEARCH = "/v1/risk/enterprises"
INDUSTRIES, AREAS = ("5210", "6210", "2710"), ("310106013", "310106014")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    """Eighteen enterprises: three industries, two areas, foreign or not, some with penalties or on a list."""
    async with open_window(spine) as opened:
        kinds = list(product(INDUSTRIES, AREAS, ("0", "60", "100")))
        events = [
            registered(uscc, industry=industry, area=area, foreign_share=share)
            for uscc, (industry, area, share) in zip(usccs(1, 18), kinds, strict=True)
        ]
        events += [penalised(uscc, TODAY) for uscc in usccs(1, 18)[::3]]
        events += [listed(uscc, TODAY) for uscc in usccs(1, 18)[::5]]
        await opened.take(*events)
        yield opened


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("", lambda one: True),
        ("risk_class=C", lambda one: one["risk_class"] == "C"),
        ("sector=H", lambda one: one["division"] in divisions_of("H")),
        ("sector=27", lambda one: one["division"] == 27),
        ("area=310106014", lambda one: one["area"] == "310106014"),
        ("ownership=foreign", lambda one: one["foreign_invested"]),
        ("ownership=domestic&sector=F", lambda one: not one["foreign_invested"] and one["division"] == 52),
        ("changed_since=2026-01-05", lambda one: one["class_changed_on"] >= "2026-01-05"),
        ("changed_since=2026-01-06", lambda one: False),
        ("risk_class=C&area=310106013", lambda one: one["risk_class"] == "C" and one["area"] == "310106013"),
    ],
)
async def test_a_filter_finds_what_looking_at_each_would_find(window: Window, query: str, fits: Any) -> None:
    everyone = await window.every(f"{SEARCH}?limit=200")
    assert [one["uscc"] for one in everyone] == list(usccs(1, 18))
    found = await window.every(f"{SEARCH}?limit=4&{query}")
    assert found == [one for one in everyone if fits(one)]


@pytest.mark.parametrize("path", [SEARCH, "/v1/risk/changes"])
async def test_a_crowd_of_looks_waits_for_the_database_and_not_for_each_other(window: Window, path: str) -> None:
    """A look that held one connection and waited for another stood still with nineteen others, until it was put off."""
    answers = await asyncio.gather(*(window.get(path) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_an_indicator_finds_those_for_whom_a_rule_over_it_counts(window: Window) -> None:
    for indicator in ("penalties_3y", "abnormal_list_active", "licence_revoked", "no_such_indicator"):
        found = {one["uscc"] for one in await window.every(f"{SEARCH}?limit=3&indicator={indicator}")}
        expected = set()
        for uscc in usccs(1, 18):
            risk = await window.shown(f"/v1/enterprises/{uscc}/risk")
            expected |= {uscc} if any(part["rule"] == indicator for part in risk["contributions"]) else set()
        assert found == expected
    assert found == set()


@pytest.mark.parametrize("query", ["sector=Z", "sector=98", "area=x", "ownership=ours", "changed_since=1", "cursor=z"])
async def test_what_cannot_be_searched_for_is_refused(window: Window, query: str) -> None:
    assert (await window.get(f"{SEARCH}?{query}")).status_code == 422


async def test_no_applicant_sees_any_of_it_and_each_look_has_its_purpose(window: Window) -> None:
    for path in (SEARCH, "/v1/risk/export", "/v1/risk/distribution", "/v1/risk/changes", "/v1/risk/warnings"):
        assert (await window.get(path, "applicant-1")).status_code == 403
        if "distribution" not in path:
            assert (await window.get(path, purpose="curiosity")).status_code == 400


@pytest.mark.parametrize("query", ["", "&risk_class=C", "&indicator=penalties_3y"])
async def test_the_files_hold_what_the_search_finds_and_say_what_they_are_for(window: Window, query: str) -> None:
    found = await window.every(f"{SEARCH}?limit=200{query}")
    answer = await window.get(f"/v1/risk/export?form=csv{query}")
    first, _, rest = answer.text.partition("\r\n")
    assert "no ground for penalty" in first
    assert [row["uscc"] for row in csv.DictReader(io.StringIO(rest))] == [one["uscc"] for one in found]

    table = parquet.read_table(io.BytesIO((await window.get(f"/v1/risk/export?form=parquet{query}")).content))
    assert "no ground for penalty" in table.schema.metadata[b"notice"].decode()
    assert table.schema.metadata[b"purpose"] == b"supervision_planning"
    shown = [{name: value for name, value in one.items() if name != "override"} for one in found]
    assert json.loads(json.dumps(table.to_pylist(), default=str)) == shown


async def test_distribution_and_trend_count_what_the_search_finds(window: Window) -> None:
    everyone = await window.every(f"{SEARCH}?limit=200")

    def by_class(rows: list[dict[str, Any]]) -> dict[str, int]:
        return {letter: sum(one["risk_class"] == letter for one in rows) for letter in "ABCD"}

    said = await window.shown("/v1/risk/distribution?by=sector")
    assert said["classes"] == by_class(everyone)
    for group in said["groups"]:
        assert group["classes"] == by_class([one for one in everyone if section_of(one["division"]) == group["key"]])
    assert {one["place"] for one in said["published"]} == {"Dandong", "Bayannur", "Ordos"}
    owners = await window.shown("/v1/risk/distribution?by=ownership")
    foreign = next(group for group in owners["groups"] if group["key"] == "foreign")
    assert foreign["classes"] == by_class([one for one in everyone if one["foreign_invested"]])

    days = (await window.shown("/v1/risk/trend?since=2026-01-04&until=2026-01-06"))["items"]
    assert [day["on"] for day in days] == ["2026-01-04", "2026-01-05", "2026-01-06"]
    assert days[0]["classes"] == by_class([])
    assert days[1]["classes"] == days[2]["classes"] == said["classes"]
    assert (await window.get("/v1/risk/trend?since=2025-01-01&until=2026-01-06")).status_code == 422


SEARCHES = [
    Filters(), Filters(risk_class=RiskClass.D), Filters(sector="27"), Filters(sector="C", risk_class=RiskClass.D),
    Filters(area="310106020"), Filters(changed_since=TODAY), Filters(foreign_invested=True),
]  # fmt: skip


async def test_every_search_goes_by_an_index(window: Window) -> None:
    """On a table of 50,000: none reads it from end to end."""
    async with window.rows() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("""
            INSERT INTO profile SELECT '9131' || lpad(n::text, 13, '0') || 'Y', 0, n % 300,
                CASE WHEN n % 200 = 0 THEN 3 WHEN n % 20 = 0 THEN 2 ELSE n % 2 END, 0, NULL, 0, 1 + n % 97,
                (310106000 + n % 50)::text, n % 40 = 0, DATE '2026-01-05' - n % 2000, 0
            FROM generate_series(1, 50000) n""")
        await connection.execute("ANALYZE profile")
        for wanted in SEARCHES:
            plan = "\n".join(
                row[0] for row in await connection.fetch(f"EXPLAIN {page_query(wanted)}", usccs(1, 1)[0], 51)
            )
            assert "Seq Scan on profile" not in plan, (wanted, plan)
        await transaction.rollback()


async def test_each_is_where_its_registration_says_until_it_moves(window: Window) -> None:
    uscc, *_ = usccs(1, 18)
    where = {one["uscc"]: one["area"] for one in await window.every(f"{SEARCH}?limit=200")}
    assert set(where.values()) == set(AREAS)
    assert where[uscc] == AREAS[0]
    await window.take(moved(uscc, TODAY, AREAS[1]))
    assert uscc in [one["uscc"] for one in await window.every(f"{SEARCH}?area={AREAS[1]}")]
    groups = (await window.shown("/v1/risk/distribution?by=area"))["groups"]
    assert {group["key"]: sum(group["classes"].values()) for group in groups} == {AREAS[0]: 8, AREAS[1]: 10}
