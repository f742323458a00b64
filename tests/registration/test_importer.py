"""An older register is taken over: each line is entered once, flagged, or sent back with its reason; never halfway."""

import csv
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from rich.console import Console

from libs.common.clock import BusinessClock, Clock
from services.registration import domain, importer
from services.registration.domain.imported import COLUMNS, Imported, read
from services.registration.domain.uscc import uscc_for
from tests.registration.registry import START, Registry

serials = iter(range(5_000_000, 6_000_000))


def line(**changes: str) -> dict[str, str]:
    number = next(serials)
    return {
        "uscc": uscc_for(number), "division": "上海", "trade_name": f"旧名{number}", "industry": "餐饮",
        "form": "有限公司", "enterprise_type": "limited_company", "registered_capital": "5000000.00",
        "capital_currency": "CNY", "activities": "6210;5432", "area": "310106012", "registered_on": "2015-06-30",
        "legal_representative_nationality": "DE", "investors": "legal DE 60;legal CN 40 fie", **changes,
    }  # fmt: skip


def as_csv(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


async def enter(registry: Registry, file: Path) -> importer.Run:
    async with registry.connection() as connection:
        with Console(quiet=True).status("") as status:
            return await importer.run(
                connection, file, rejects_of(file), registry.law, BusinessClock(START), status
            )  # fmt: skip


def rejects_of(file: Path) -> Path:
    return file.with_suffix(".rejects.csv")


def rejected(file: Path) -> list[dict[str, str]]:
    with rejects_of(file).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


async def count(registry: Registry, rows: Sequence[dict[str, str]]) -> int:
    codes = [row["uscc"] for row in rows]
    return int((await registry.row("SELECT count(*) FROM enterprise WHERE uscc = ANY($1)", codes))[0])


async def test_an_enterprise_stands_as_it_was_with_its_name(registry: Registry, tmp_path: Path) -> None:
    old = line()
    done = await enter(registry, as_csv(tmp_path / "old.csv", [old]))
    assert (done.lines, done.entered, done.flagged, done.rejected) == (1, 1, 0, 0)
    row = await registry.enterprise(old["uscc"])
    assert (row["name"], row["registered_on"], row["application_id"]) == (
        f"上海{old['trade_name']}餐饮有限公司", date(2015, 6, 30), None,
    )  # fmt: skip
    assert (row["activities"], row["registered_capital"], row["capital"]) == (
        ["6210", "5432"],
        Decimal(5000000),
        "foreign",
    )
    held = await registry.row("SELECT * FROM name_held WHERE uscc = $1", old["uscc"])
    assert (held["state"], held["trade"]) == ("registered", old["trade_name"])


async def test_an_enterprise_that_came_so_is_changed_like_any_other(registry: Registry, tmp_path: Path) -> None:
    old = line(investors="legal DE 100")
    await enter(registry, as_csv(tmp_path / "old.csv", [old]))
    async with registry.connection() as connection:
        await connection.execute("UPDATE enterprise SET filed_by = $2 WHERE uscc = $1", old["uscc"], registry.owner)
    assert (await registry.change(old["uscc"], activities=["5128"])).status == "refused"
    assert (await registry.change(old["uscc"], activities=["7281"])).status == "accepted"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"uscc": "123"}, "uscc", "uscc_is_none"),
        ({"uscc": "91310106MA000001O5"}, "uscc", "uscc_is_none"),
        ({"registered_capital": "five"}, "registered_capital", "capital_unreadable"),
        ({"registered_capital": "1e6"}, "registered_capital", "capital_unreadable"),
        ({"capital_currency": "XXX"}, "capital_currency", "currency_unknown"),
        ({"activities": "6210;9999"}, "activities.1", "activity_unknown"),
        ({"activities": ""}, "activities.0", "activity_unknown"),
        ({"area": "999999"}, "area", "area_unknown"),
        ({"registered_on": "30/06/2015"}, "registered_on", "date_unreadable"),
        ({"registered_on": "2026-01-06"}, "registered_on", "date_in_future"),
        ({"enterprise_type": "GmbH"}, "enterprise_type", "enterprise_type_unknown"),
        ({"legal_representative_nationality": "XX"}, "legal_representative_nationality", "country_unknown"),
        ({"investors": "legal DE sixty"}, "investors", "investors_unreadable"),
        ({"investors": ""}, "investors", "investors_unreadable"),
        ({"investors": "legal DE 60"}, "investors", "shares_not_100"),
        ({"trade_name": ""}, "trade_name", "trade_name_too_short"),
    ],
)
async def test_a_bad_line_is_rejected_with_number_field_and_reason(
    registry: Registry, tmp_path: Path, changes: dict[str, str], field: str, code: str
) -> None:
    rows = [line(), line(**changes), line()]
    file = as_csv(tmp_path / "old.csv", rows)
    done = await enter(registry, file)
    assert (done.lines, done.entered, done.rejected) == (3, 2, 1)
    (found,) = rejected(file)
    assert (found["line"], found["field"], found["code"]) == ("3", field, code)
    assert found["reason_zh"]
    assert found["reason_en"]


def test_a_line_with_several_faults_names_all_that_can_be_read(registry: Registry) -> None:
    found = read(line(capital_currency="XXX", area="1", uscc="1"), registry.law, START)
    assert [fault.code for fault in found] == ["uscc_is_none", "currency_unknown", "area_unknown"]  # type: ignore[union-attr]


async def test_an_identifier_that_fails_its_check_is_entered_and_flagged(registry: Registry, tmp_path: Path) -> None:
    wrong = line()
    wrong["uscc"] = wrong["uscc"][:17] + ("0" if wrong["uscc"][17] != "0" else "1")
    other = line(uscc="Z" * 18)
    file = as_csv(tmp_path / "old.csv", [wrong, other])
    done = await enter(registry, file)
    assert (done.entered, done.flagged, done.rejected) == (1, 1, 1)
    assert (await registry.enterprise(wrong["uscc"]))["flags"] == ["check"]


async def test_who_is_on_the_register_or_twice_in_the_file_is_entered_once(registry: Registry, tmp_path: Path) -> None:
    judged = await registry.submit()
    twice = line()
    file = as_csv(tmp_path / "old.csv", [line(uscc=judged.uscc), twice, {**twice, "trade_name": "别名"}])
    done = await enter(registry, file)
    assert (done.entered, done.rejected) == (1, 2)
    assert [(row["line"], row["code"]) for row in rejected(file)] == [("2", "uscc_on_register"), ("4", "uscc_repeated")]
    assert (await registry.enterprise(judged.uscc))["application_id"] == judged.id


async def test_each_is_told_of_once_as_taken_over_and_nobody_behind_it(registry: Registry, tmp_path: Path) -> None:
    rows = [line(), line(capital_currency="USD", investors="legal CN 100"), line(area="1")]
    file = as_csv(tmp_path / "old.csv", rows)
    await enter(registry, file)
    await enter(registry, file)
    for row, share, capital in ((rows[0], "100", "foreign"), (rows[1], "0", "domestic")):
        (said,) = await registry.said(row["uscc"])
        assert (said["type"], said["sequence"]) == ("registration.enterprise_taken_over.v1", 1)
        assert json.loads(said["data"]) == {
            "taken_over_on": "2026-01-05", "registered_on": "2015-06-30", "enterprise_type": "limited_company",
            "industry": "6210", "activities": ["6210", "5432"], "area": "310106012",
            "registered_capital": "5000000.00", "capital_currency": row["capital_currency"], "foreign_share": share,
            "capital": capital,
        }  # fmt: skip
    assert await registry.said(rows[2]["uscc"]) == []


async def test_one_that_was_cut_off_goes_on_where_it_stopped(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 3)
    rows = [line(), line(area="1"), line(), line(), line(area="2"), line(), line()]
    file = as_csv(tmp_path / "old.csv", rows)
    real = importer.enter_imported

    async def dies(connection: Any, arrived: Sequence[Imported], law: domain.Policy, clock: Clock) -> set[str]:
        entered = await real(connection, arrived, law, clock)
        if rows[3]["uscc"] in entered:
            raise ConnectionError("pulled")
        return entered

    monkeypatch.setattr(importer, "enter_imported", dies)
    with pytest.raises(ConnectionError):
        await enter(registry, file)
    assert await count(registry, rows) == 2, "the batch that died has left nothing"
    rejects_of(file).open("a").write("half a li")

    monkeypatch.setattr(importer, "enter_imported", real)
    done = await enter(registry, file)
    assert (done.lines, done.entered, done.rejected) == (7, 5, 2)
    assert [row["line"] for row in rejected(file)] == ["3", "6"]
    assert await count(registry, rows) == 5
    again = await enter(registry, file)
    assert again == done, "a file that is done is not read again"


async def test_parquet_and_csv_say_the_same(registry: Registry, tmp_path: Path) -> None:
    rows = [line(), line(area="1")]
    file = tmp_path / "old.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), file)
    done = await enter(registry, file)
    assert (done.lines, done.entered, done.rejected) == (2, 1, 1)
    assert [row["line"] for row in rejected(file)] == ["2"]


async def test_a_file_without_its_columns_and_one_under_way_are_refused(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "old.csv"
    file.write_text("uscc,name\n1,2\n")
    with pytest.raises(importer.Unusable, match="lacks the columns division"):
        await enter(registry, file)
    good = as_csv(tmp_path / "good.csv", [line()])
    async with registry.connection() as other:
        with good.open("rb") as opened:
            digest = importer.hashlib.file_digest(opened, "sha256").hexdigest()
        await other.execute(importer.ALONE, digest)
        with pytest.raises(importer.Unusable, match="already"):
            await enter(registry, good)


async def test_what_was_taken_over_has_its_history_and_owes_its_next_report(registry: Registry, tmp_path: Path) -> None:
    row = line()
    await enter(registry, as_csv(tmp_path / "old.csv", [row]))
    span = await registry.row("SELECT * FROM enterprise_span WHERE uscc = $1", row["uscc"])
    assert (span["because"], span["number"], span["valid_to"]) == ("taken_over", 1, None)
    kept = await registry.enterprise(row["uscc"])
    assert span["valid_from"] == kept["registered_on"]
    owed = await registry.find(
        "SELECT on_date FROM due WHERE (kind, subject) = ('annual_report_overdue', $1)", row["uscc"]
    )
    assert (owed is not None) == (kept["capital"] in ("foreign", "hk_mo_tw"))
    if owed is not None:
        assert (owed["on_date"].month, owed["on_date"].day) == (7, 1)
