"""A scorecard is data, refused with file and line where it cannot be used."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from libs.common.policy import PolicyError
from services.risk.domain import PRODUCED, ScorecardError
from services.risk.scorecards import POLICY, load_scorecard
from services.risk.scorecards.shipped import SHIPPED

NAME = "district-2026-1"

Rows = list[list[str]]


def rewritten(tmp_path: Path, file: str, edit: Callable[[Rows], object]) -> Path:
    """A copy of the policy folder with one file edited; rows[0] is the header, rows[i] line i + 1."""
    policy = tmp_path / "policy"
    shutil.copytree(POLICY, policy)
    path = policy / NAME / file
    with path.open(newline="", encoding="utf-8") as text:
        rows = list(csv.reader(text))
    edit(rows)
    with path.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text, lineterminator="\n").writerows(rows)
    return policy


def cell(row: int, column: int, value: str) -> Callable[[Rows], object]:
    return lambda rows: rows[row].__setitem__(column, value)


def appended(*cells: str) -> Callable[[Rows], object]:
    return lambda rows: rows.append([*cells, "2026-01-01", "district's own setting", "setting"])


@pytest.mark.parametrize("name", [NAME, SHIPPED])
def test_the_district_scorecard_keeps_its_marks_and_gives_foreign_ownership_no_weight(name: str) -> None:
    card = load_scorecard(name)
    assert sum(rule.cap for rule in card.rules) <= 2000
    rules = {rule.name: rule for rule in card.rules}
    assert rules["foreign_invested"].cap == 0
    assert rules["foreign_invested"].steps == ()
    if name == SHIPPED:
        assert {rule.indicator for rule in card.rules} >= PRODUCED
    for step in rules["penalties_3y"].steps:
        assert "Shenyang DB2101/T 0125-2025" in step.basis.source
    for step in rules["newly_registered"].steps:
        assert step.basis.source.startswith("district's own setting")
        assert step.basis.at.endswith(("steps.csv:2", "steps.csv:3"))


@pytest.mark.parametrize(
    ("file", "edit", "error", "complaint"),
    [
        ("rules.csv", cell(1, 2, "x"), PolicyError, "rules.csv:2: cap"),
        ("rules.csv", cell(1, 2, "2001"), ScorecardError, "rules.csv:2: the cap"),
        ("rules.csv", cell(1, 5, ""), PolicyError, "rules.csv:2: source"),
        ("rules.csv", cell(1, 2, "1900"), ScorecardError, "the caps sum to 2865"),
        ("rules.csv", cell(1, 0, "other"), PolicyError, "steps.csv:2: no rule newly_registered"),
        ("rules.csv", cell(4, 2, "1"), ScorecardError, "rules.csv:5: foreign_invested carries no weight"),
        ("rules.csv", cell(2, 0, "newly_registered"), PolicyError, "steps.csv:4: no rule registered_capital"),
        ("rules.csv", lambda rows: rows.append(rows[1]), ScorecardError, "rules.csv:18: the rule newly_registered is"),
        ("rules.csv", cell(2, 4, "2026-02-01"), ScorecardError, "rules.csv:3: valid from 2026-02-01"),
        ("steps.csv", cell(1, 4, "31"), ScorecardError, "steps.csv:2: the points"),
        ("steps.csv", cell(1, 4, "-1"), ScorecardError, "steps.csv:2: the points"),
        ("steps.csv", cell(1, 3, "0"), ScorecardError, "steps.csv:2: the months"),
        ("steps.csv", cell(1, 3, "1201"), ScorecardError, "steps.csv:2: the months"),
        ("steps.csv", cell(1, 3, "36"), ScorecardError, "steps.csv:3: the same band and months as"),
        ("steps.csv", cell(1, 4, "15"), ScorecardError, "steps.csv:2: the end of this step changes nothing"),
        ("steps.csv", cell(1, 5, "A"), ScorecardError, "steps.csv:2: at least A demands nothing"),
        ("steps.csv", cell(1, 5, "E"), PolicyError, "steps.csv:2: at_least"),
        ("steps.csv", cell(4, 1, "999999"), ScorecardError, "steps.csv:5: the band overlaps that of"),
        ("steps.csv", cell(4, 2, "1000000"), ScorecardError, "steps.csv:5: the band is empty"),
        ("steps.csv", appended("newly_registered", "", "", "48", "0", ""), ScorecardError, "changes nothing"),
        ("steps.csv", appended("foreign_invested", "1", "", "", "0", "C"), ScorecardError, "carries no weight"),
        (
            "rules.csv",
            cell(5, 1, "related_serious_list"),
            ScorecardError,
            "related_serious_list begins at 1",
        ),
        ("rules.csv", cell(8, 1, "shared_address_density"), ScorecardError, "and demands no class"),
        ("steps.csv", cell(1, 8, "guess"), PolicyError, "steps.csv:2: confidence"),
        ("bands.csv", cell(1, 1, "1"), ScorecardError, "the bands are not"),
        ("bands.csv", cell(3, 0, "B"), ScorecardError, "the bands are not"),
        ("bands.csv", cell(3, 1, "50"), ScorecardError, "bands.csv:4: C begins out of order"),
        ("bands.csv", cell(4, 1, "2001"), ScorecardError, "bands.csv:5: D begins out of order"),
    ],
)
def test_an_unfit_scorecard_is_refused_with_file_and_line(
    tmp_path: Path, file: str, edit: Callable[[Rows], object], error: type[Exception], complaint: str
) -> None:
    policy = rewritten(tmp_path, file, edit)
    with pytest.raises(error) as refused:
        load_scorecard(NAME, policy)
    assert complaint in str(refused.value)


def test_the_digest_follows_what_decides_and_not_the_order_of_rows_or_the_sources(tmp_path: Path) -> None:
    digest = load_scorecard(NAME).digest
    reordered = rewritten(tmp_path / "order", "steps.csv", lambda rows: rows.insert(1, rows.pop()))
    assert load_scorecard(NAME, reordered).digest == digest
    resourced = rewritten(tmp_path / "source", "steps.csv", cell(1, 7, "district's own setting, as minuted"))
    assert load_scorecard(NAME, resourced).digest == digest
    seen = {digest}
    for name, file, edit in [
        ("points", "steps.csv", cell(1, 4, "29")),
        ("months", "steps.csv", cell(1, 3, "13")),
        ("bound", "steps.csv", cell(4, 2, "9000000")),
        ("trigger", "steps.csv", cell(1, 5, "C")),
        ("cap", "rules.csv", cell(1, 2, "31")),
        ("required", "rules.csv", cell(1, 3, "no")),
        ("band", "bands.csv", cell(2, 1, "51")),
    ]:
        changed = load_scorecard(NAME, rewritten(tmp_path / name, file, edit)).digest
        assert changed not in seen, name
        seen.add(changed)
