"""What is learnt from indicators of ours is a draft in the live service, and scores there as it did here."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import polars as pl
import pytest

from services.risk.domain import Fact, assess
from services.risk.learning import history, live
from services.risk.learning.arrays import Json
from services.risk.learning.fit import Wanted, fit
from services.risk.learning.model import score_rows
from services.risk.learning.read import read_table
from services.risk.scorecards.documents import from_document
from tests.learning.conftest import TOLD, silent, written
from tests.risk.window import open_window
from tests.spine import Spine

NOBODY = UUID(int=0)


def indicators(rows: int = 6000) -> pl.DataFrame:
    """Inspections of which nothing is known but indicators of ours."""
    random = np.random.default_rng(6)
    months, capital = random.integers(0, 200, rows), np.round(np.exp(random.normal(14.5, 1.5, rows)))
    penalties, listed = random.poisson(0.5, rows), random.random(rows) < 0.07
    industry = random.choice([5210, 6210, 6510, 7210], rows)
    odds = (-2.2 + 0.5 * np.minimum(penalties, 3) + 1.4 * listed + 0.7 * (months < 14) - 0.5 * (capital > 4e6)
            + 0.6 * (industry == 6210))  # fmt: skip
    return pl.DataFrame({
        "uscc": [f"91310106MA{n:07}X" for n in random.integers(0, rows // 4, rows)],
        "date": [date(2022, 1, 3) + timedelta(days=int(d)) for d in np.sort(random.integers(0, 1400, rows))],
        "found": (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(int),
        "newly_registered": months, "registered_capital": pl.Series(capital).cast(pl.Int64), "penalties_3y": penalties,
        "abnormal_list_active": listed.astype(int), "address_changes_12m": random.poisson(0.3, rows),
        "industry_risk": industry, "foreign_invested": random.integers(0, 10_000, rows),
    })  # fmt: skip


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Json]:
    path = written(tmp_path_factory.mktemp("live"), indicators())
    return path, fit(Wanted(train=path, **TOLD), silent)


def facts(row: dict, told: dict[str, float], on: date) -> list[Fact]:
    """What events would have stated of the enterprise of this row."""
    made: list[Fact] = []

    def state(indicator: str, value: int, when: date) -> None:
        record = f"{indicator}:{len(made)}"
        made.append(Fact("/jingan/x", row["uscc"], len(made) + 1, 0, indicator, when, value, record, NOBODY))

    state("registered_capital", row["registered_capital"], date(2000, 1, 1))
    state("industry_risk", row["industry_risk"], date(2000, 1, 1))
    year, month = divmod(on.year * 12 + on.month - 1 - row["newly_registered"], 12)
    state("newly_registered", 1, date(year, month + 1, 1))
    for name in ("penalties_3y", "abnormal_list_active", "address_changes_12m"):
        for _ in range(row[name]):
            state(name, 1, on - timedelta(days=30))
    recent = int(told["earlier_findings_12m"])
    for i in range(int(told["earlier_findings_36m"])):
        state("spot_check_fail_3y", 1, on - timedelta(days=100 if i < recent else 700))
    return made


def test_the_live_service_scores_as_the_tool_does(learnt: tuple[Path, Json]) -> None:
    path, document = learnt
    scorecard = from_document(document)
    table = read_table(path, **TOLD)
    scored = score_rows(document["features"], table, table)
    assert table.entity is not None
    (code,) = history.codes(table.entity)
    told = history.earlier(history.Known.of(code, table.day, table.found), code, table.day)
    for i in range(0, table.count, 97):
        row = {**table.frame.row(i, named=True), "uscc": table.entity[i]}
        row = {name: int(value) if str(value).lstrip("-").isdigit() else value for name, value in row.items()}
        on = date(1970, 1, 1) + timedelta(days=int(table.day[i]))
        earlier = {name: float(told[name][i]) for name in live.HISTORY}
        assert assess(facts(row, earlier, on), on, scorecard).score == scored.score[i]


async def test_it_is_a_draft_in_the_live_service(spine: Spine, learnt: tuple[Path, Json]) -> None:
    _, document = learnt
    async with open_window(spine) as window:
        answer = await window.send("POST", "/v1/scorecards", document, "analyst-1")
        assert answer.status_code == 201, answer.text
        kept = answer.json()
    assert (kept["state"], kept["unknown_indicators"]) == ("draft", [])
    assert kept["document"]["provenance"]["rows"] == 6000


async def test_what_rules_cannot_say_is_refused_with_every_reason(spine: Spine, scorecard: Json) -> None:
    reasons = {one["feature"]: one["reason"] for one in scorecard["features"]["not_loadable"]}
    assert scorecard["rules"] == []
    assert reasons["kind"] == "no indicator of the district's is called this"
    async with open_window(spine) as window:
        answer = await window.send("POST", "/v1/scorecards", scorecard, "analyst-1")
    assert answer.status_code == 422
    fields = [fault["field"] for fault in answer.json()["errors"]]
    assert fields == ["rules", *(f"features.not_loadable.{i}" for i in range(len(reasons)))]


def test_live_leaves_out_what_the_service_does_not_know(inspections: Path) -> None:
    asked = Wanted(train=inspections / "train.csv", **TOLD, live=True)
    document = fit(asked, silent)
    named = {rule["indicator"] for rule in document["rules"]}
    assert named <= {"newly_registered", "registered_capital", "penalties_3y", "spot_check_fail_3y"}
    assert "penalties_3y" in named
    unused = {one["column"]: one["reason"] for one in document["provenance"]["unused"]}
    assert unused["complaints_12m"] == "is no indicator that our events state"
    from_document(document)


@pytest.mark.parametrize(
    ("feature", "form"),
    [
        ("penalties_3y", "count"), ("registered_capital", "state"), ("newly_registered", "age"), ("age_years", "age"),
        ("earlier_findings_12m", "count"), ("permits_held", None), ("foreign_invested", None),
        ("complaints_12m", None), ("tax_credit_grade", None), ("kind", None),
    ],
)  # fmt: skip
def test_forms(feature: str, form: str | None) -> None:
    assert live.form(feature) == form


def test_indicators_without_a_producer_are_named_as_such() -> None:
    term = {"feature": "complaints_12m", "form": None, "cuts": [1.0], "points": [0, 5], "missing": 0}
    made, unsayable = live.rules([term], "x")
    assert made == []
    assert unsayable == [{"feature": "complaints_12m", "reason": "no event states this indicator yet"}]
