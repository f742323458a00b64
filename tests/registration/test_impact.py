"""What another edition means: who is newly inside the list, newly outside it, or asked something else."""

import csv
import io
import shutil
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration import domain, impact, policy, use_cases
from services.registration.cases import investors
from services.registration.domain.impact import LawOn, effect, listed
from tests.registration.registry import Registry
from tests.spine import Spine, get

OCTOBER, NOVEMBER = date(2024, 10, 31), date(2024, 11, 1)
JINGAN = "310106012"


@cache
def law() -> domain.Policy:
    return policy.current()


def facts(activity: str, who: str = "DE 100", representative: str = "DE") -> domain.Facts:
    structure = domain.Structure("limited_company", investors(who), representative)
    return domain.Facts("national", JINGAN, (activity,), structure)


@pytest.mark.parametrize(
    ("activity", "who", "before", "after", "move", "answers"),
    [
        ("2311", "DE 100", OCTOBER, NOVEMBER, "outside", ("refused", "accepted")),
        ("2311", "DE 49 CN 51", OCTOBER, NOVEMBER, "outside", ("accepted", "accepted")),
        ("3611", "DE 100", date(2021, 12, 31), date(2022, 1, 1), "outside", ("review", "accepted")),
        ("2311", "DE 100", NOVEMBER, OCTOBER, "inside", ("accepted", "refused")),
        ("0112", "DE 60 CN 40", date(2020, 7, 22), date(2020, 7, 23), "changed", ("review", "accepted")),
        ("2311", "DE 49 CN 51", date(2019, 12, 31), date(2020, 1, 1), "changed", ("review", "accepted")),
    ],
)
def test_each_move_is_told_with_both_answers(
    activity: str, who: str, before: date, after: date, move: str, answers: tuple[str, str]
) -> None:
    found = effect(facts(activity, who), LawOn(law(), before), LawOn(law(), after))
    assert found is not None
    assert (found.move, (found.before, found.after)) == (move, answers)
    assert bool(found.items_before) == (move != "inside")
    assert bool(found.items_after) == (move != "outside")


@pytest.mark.parametrize(("activity", "who"), [("6210", "DE 100"), ("4414", "DE 100"), ("2311", "CN 100")])
def test_who_is_asked_the_same_or_nothing_is_not_moved(activity: str, who: str) -> None:
    assert effect(facts(activity, who), LawOn(law(), OCTOBER), LawOn(law(), NOVEMBER)) is None


CLASSES = sorted(code for code, industry in policy.current().industries.items() if industry.level == 4)
DAYS = st.dates(date(2017, 1, 1), date(2026, 12, 31))


@given(st.sampled_from(CLASSES), st.integers(1, 100), DAYS, DAYS, st.sampled_from(["CN", "DE"]))
def test_whom_the_database_leaves_out_is_never_moved(
    activity: str, share: int, before: date, after: date, representative: str
) -> None:
    who = f"DE {share} CN {Decimal(100) - share}" if share < 100 else "DE 100"
    laws = LawOn(law(), before), LawOn(law(), after)
    found = effect(facts(activity, who, representative), *laws)
    codes = listed(*laws)
    assert found is None or codes is None or activity in codes
    if (back := effect(facts(activity, who, representative), *laws[::-1])) is None:
        assert found is None
    else:
        assert found is not None
        assert (back.before, back.after) == (found.after, found.before)


def with_edition(folder: Path) -> Path:
    """A copy of the law in which catering (6210) is forbidden from 2026-02-01 by an edition of one item."""
    copy = folder / "policy"
    shutil.copytree(policy.FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    editions, rows = copy / "negative_list_editions.csv", copy / "negative_list.csv"
    editions.write_text(ended(editions, "edition", "2024") + "2027,national,test,1,2026-02-01,,,,made up,verified\n")
    head = rows.read_text().splitlines()[0].split(",")
    made = dict.fromkeys(head, "") | {
        "edition": "2027", "scope": "national", "order_no": "test", "effective_from": "2026-02-01", "item_no": "1",
        "item_key": "catering", "part": "1", "section": "H", "sector": "Catering", "gbt4754_codes": "6210",
        "coverage": "full", "measure": "prohibited", "text_summary": "Catering", "text_zh": "餐饮",
        "source": "made up", "evidence": "none", "confidence": "verified",
    }  # fmt: skip
    rows.write_text(ended(rows, "edition", "2024") + ",".join(made.values()) + "\n")
    return copy


def ended(file: Path, column: str, edition: str) -> str:
    """The file with everything of one national edition ending on 2026-01-31."""
    out = io.StringIO()
    with file.open(encoding="utf-8", newline="") as opened:
        found = csv.DictReader(opened)
        writer = csv.DictWriter(out, found.fieldnames or [], lineterminator="\n")
        writer.writeheader()
        for row in found:
            if row[column] == edition and row["scope"] == "national":
                row["effective_to"] = row["effective_to"] or "2026-01-31"
            writer.writerow(row)
    return out.getvalue()


async def told(registry: Registry, before: LawOn, after: LawOn) -> list[dict[str, str]]:
    out = io.StringIO()
    async with registry.connection() as connection:
        await impact.write(connection, before, after, out, lambda _: None)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


async def test_a_new_edition_names_the_enterprises_and_open_applications_that_it_moves(
    registry: Registry, tmp_path: Path
) -> None:
    catering = await registry.submit(activities=["6210"])
    moved_on = await registry.submit(activities=["6210"])
    await registry.change(moved_on.uscc, activities=["7281"])
    shop = await registry.submit(activities=["5432"])
    survey = await registry.submit(activities=["7249", "6210"])
    tobacco = await registry.submit(activities=["5128"])
    assert (survey.status, tobacco.status) == ("in_review", "refused")
    changed = policy.load(with_edition(tmp_path))
    rows = await told(registry, LawOn(law(), date(2026, 1, 5)), LawOn(changed, date(2026, 2, 1)))
    found = {row["id"]: row for row in rows}
    assert set(found) == {catering.uscc, str(survey.id)}, "not those who left catering, never ran one, or were refused"
    inside = found[catering.uscc]
    assert (inside["subject"], inside["move"], inside["before"], inside["after"]) == (
        "enterprise", "inside", "accepted", "refused",
    )  # fmt: skip
    assert (inside["items_before"], inside["items_after"]) == ("", "2027/national/1/1")
    assert found[str(survey.id)]["move"] == "changed"
    assert shop.uscc not in found


async def test_officers_read_it_as_a_file_and_applicants_do_not(spine: Spine, registry: Registry) -> None:
    spine.up("registration")
    await registry.submit(activities=["6210"])
    path = "/v1/edition-impact?before=2024-10-31&after=2024-11-01"
    answer = await get(spine, path, person="registrar-1")
    assert answer.status_code == 200, answer.text
    remark, *lines = answer.text.splitlines()
    assert remark == f"# before: 2024-10-31; after: 2024-11-01; policy: {law().digest}"
    expected = await told(registry, LawOn(law(), OCTOBER), LawOn(law(), NOVEMBER))
    assert list(csv.DictReader(lines)) == expected
    assert tuple(lines[0].split(",")) == use_cases.IMPACT_COLUMNS
    assert (await get(spine, path)).status_code == 403
    wrong: dict[str, Any] = (await get(spine, "/v1/edition-impact?before=x&after=y", person="registrar-1")).json()
    assert [fault["field"] for fault in wrong["errors"]] == ["before", "after"]
