"""The golden cases of the negative list: open data, with which the engine and a second reading of it agree."""

import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.policy import PolicyError, digest
from services.registration import cases, domain
from services.registration.policy import FOLDER, current
from tests.registration import reference

FILES = sorted(cases.FOLDER.glob("*.csv"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_case_is_answered_as_it_is_written(file: Path) -> None:
    assert [list(cases.told(case, found)) for _, _, case, found in cases.failing([file], current())] == []


def test_every_edition_has_its_cases_and_they_are_what_a_second_reading_of_the_list_says() -> None:
    assert {reference.file_of(edition) for edition in reference.EDITIONS} == {*FILES} - {cases.FOLDER / "selected.csv"}
    for edition in reference.EDITIONS:
        path = reference.file_of(edition)
        assert path.read_text(encoding="utf-8") == reference.written(edition), "python -m tests.registration.reference"


def test_every_row_is_seen_on_its_first_day_and_every_limit_from_both_sides() -> None:
    rows = reference.LIST
    seen = {(case.on.isoformat(), case.scope, case.item) for file in FILES for _, case in cases.read(file)}
    assert len(rows) == 473
    assert not [
        row
        for row in rows
        if (row["effective_from"], row["scope"], f"{row['item_no']}/{row['part']}") not in seen
    ]  # fmt: skip


def test_an_outsider_adds_a_case_and_reads_which_rows_speak_against_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    head = (cases.FOLDER / "selected.csv").read_text(encoding="utf-8").splitlines()[0]
    plan = "2026-01-05,national,310106012,4414,limited_company,DE 50 CN 50,CN"
    mine.write_text(f"{head}\n{plan},refused,6,,half is no control\n{plan},accepted,6,,I read it otherwise\n")

    def run(*files: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.registration.cases", *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    said = run(mine)
    assert said.returncode == 1
    assert (
        f"{mine}:3: 2026-01-05 national 4414, DE 50 CN 50 (I read it otherwise): refused, not accepted" in said.stdout
    )
    assert "refused by negative_list.csv 2024/national/6/1 (verified, full)" in said.stdout
    assert "2 cases, 1 answered otherwise" in said.stdout
    assert run().returncode == 0


@pytest.mark.parametrize(
    ("investors", "reason"),
    [("DE 60 CN 30", "sum to 90"), ("DE 60 CN", "shorter"), ("DE@robot 100", "neither"), ("DE x", "investors")],
)
def test_a_case_that_cannot_be_read_is_named_with_its_line(tmp_path: Path, investors: str, reason: str) -> None:
    mine = tmp_path / "mine.csv"
    head = (cases.FOLDER / "selected.csv").read_text(encoding="utf-8").splitlines()[0]
    mine.write_text(f"{head}\n2026-01-05,national,310106012,4414,limited_company,{investors},CN,refused,6,,x\n")
    with pytest.raises(PolicyError, match=reason) as refused:
        list(cases.read(mine))
    assert (refused.value.path, refused.value.line) == (mine, 2)


def test_cases_are_no_law(tmp_path: Path) -> None:
    copy = tmp_path / "policy"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (copy / "cases" / "selected.csv").unlink()
    assert digest(copy) == digest(FOLDER)


CODES = sorted({code for row in reference.LIST for code in row["gbt4754_codes"].split(";")})
DAYS = st.dates(date(2017, 7, 10), date(2026, 12, 31))


@st.composite
def plans(draw: st.DrawFn) -> str:
    origins = ["DE", "FR", "CN", "CN"][: draw(st.integers(1, 4))]
    cuts = sorted(draw(st.sets(st.integers(1, 999_999), min_size=len(origins) - 1, max_size=len(origins) - 1)))
    shares = [Decimal(high - low) / 10_000 for low, high in zip([0, *cuts], [*cuts, 1_000_000], strict=True)]
    return " ".join(f"{origin} {share:f}" for origin, share in zip(draw(st.permutations(origins)), shares, strict=True))


@given(plans(), st.sampled_from(CODES), DAYS, st.sampled_from(["national", "ftz"]), st.sampled_from(["CN", "DE"]))
def test_two_readings_of_the_list_never_differ(plan: str, code: str, on: date, scope: str, representative: str) -> None:
    structure = domain.Structure("limited_company", cases.investors(plan), representative)
    found = domain.screen(current(), on, scope, reference.JINGAN, [code], structure)
    assert found.outcome == reference.answer(on.isoformat(), scope, code, plan, representative)
