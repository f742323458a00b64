"""A file of law either reads as typed rows or is refused with the line to mend."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from libs.common.policy import PolicyError, digest, no_overlap, read_table, unique

HEADER = "code,kind,places,percent,limit,open,valid_from,valid_to,source\n"
ROW = "A1,full,31;44,49.5,3,yes,2020-01-01,,gazette\n"


@dataclass(frozen=True)
class Rule:
    code: str
    kind: Literal["full", "partial"]
    places: tuple[int, ...]
    percent: Decimal | None
    limit: int
    open: bool
    valid_from: date
    valid_to: date | None
    source: str


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "rules.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_row_carries_the_types_of_its_columns(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, HEADER + ROW + 'B,partial,,,0,no,2020-01-01,2020-12-31,"a ""b"", c"\n'), Rule)

    assert table.rows == (
        Rule("A1", "full", (31, 44), Decimal("49.5"), 3, True, date(2020, 1, 1), None, "gazette"),
        Rule("B", "partial", (), None, 0, False, date(2020, 1, 1), date(2020, 12, 31), 'a "b", c'),
    )


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    header = ",".join(reversed(HEADER.strip().split(",")))
    row = ",".join(reversed(ROW.strip().split(",")))
    assert read_table(written(tmp_path, f"{header}\n{row}\n"), Rule).rows[0].code == "A1"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "missing column code, kind"),
        (HEADER.replace("limit,", "") + ROW, 1, "missing column limit"),
        (HEADER.replace("limit", "limit,extra") + ROW, 1, "unknown column extra"),
        (HEADER.replace("source", "source,source") + ROW, 1, "a column stands twice"),
        ("\ufeff" + HEADER + ROW, 1, "missing column code"),
        (HEADER + ROW + "A1,full\n", 3, "2 cells for 9 columns"),
        (HEADER + ROW + ROW.strip() + ",more\n", 3, "10 cells"),
        (HEADER + "\n" + ROW, 2, "0 cells"),
        (HEADER + ROW + ROW.replace("gazette", ""), 3, "source: '' is empty"),
        (HEADER + ROW.replace("full", "whole"), 2, "kind: 'whole' is none of full, partial"),
        (HEADER + ROW.replace("49.5", "NaN"), 2, "percent: 'NaN' is not a plain decimal"),
        (HEADER + ROW.replace("49.5", "5e1"), 2, "percent: '5e1' is not a plain decimal"),
        (HEADER + ROW.replace("49.5", "４９"), 2, "percent"),
        (HEADER + ROW.replace(",3,", ",3.0,"), 2, "limit: '3.0' is not a whole number"),
        (HEADER + ROW.replace(",3,", ",,"), 2, "limit: '' is not a whole number"),
        (HEADER + ROW.replace("yes", "true"), 2, "open: 'true' is none of yes, no"),
        (HEADER + ROW.replace("2020-01-01", "2020-02-30"), 2, "valid_from: '2020-02-30' is not a date"),
        (HEADER + ROW.replace("2020-01-01", "20200101"), 2, "valid_from: '20200101' is not a date"),
        (HEADER + ROW.replace("31;44", "31;;44"), 2, "places: '31;;44' has an empty"),
        (HEADER + ROW.replace("31;44", "31; 44"), 2, "places: '31; 44' has an empty or padded"),
        (HEADER + ROW.replace("31;44", "31;31"), 2, "places: '31;31' names a part twice"),
        (HEADER + ROW.replace("gazette", " gazette"), 2, "source: ' gazette' has spaces"),
        (HEADER + ROW + 'A1,"full\n', 3, "not readable as CSV"),
        ((HEADER + ROW).encode() + b"A\xff,\n", 3, "not UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str | bytes, line: int, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as refused:
        read_table(path, Rule)
    assert (refused.value.path, refused.value.line) == (path, line)
    assert reason in refused.value.reason
    assert str(refused.value).startswith(f"{path}:{line}: ")


def test_a_line_is_counted_in_the_file_and_not_in_rows(tmp_path: Path) -> None:
    text = HEADER + ROW.replace("gazette", '"two\nlines"') + ROW.replace("full", "whole")
    with pytest.raises(PolicyError) as refused:
        read_table(written(tmp_path, text), Rule)
    assert refused.value.line == 4


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"rules\.csv:0: cannot be read"):
        read_table(tmp_path / "rules.csv", Rule)


def rule(code: str, valid_from: str, valid_to: str) -> str:
    return f"{code},full,,,0,no,{valid_from},{valid_to},gazette\n"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([("A", "2020-01-01", "2020-12-31"), ("A", "2021-01-01", "")], None),
        ([("A", "2021-01-01", ""), ("A", "2020-01-01", "2020-12-31")], None),
        ([("A", "2020-01-01", ""), ("B", "2020-06-01", "")], None),
        ([("A", "2020-01-01", "2021-01-01"), ("A", "2021-01-01", "")], 3),
        ([("A", "2021-01-01", ""), ("A", "2020-01-01", "")], 2),
        ([("A", "2020-01-01", "2019-12-31")], 2),
        ([("A", "2020-01-01", "2020-01-01"), ("A", "2020-01-01", "2020-01-01")], 3),
    ],
)
def test_rows_of_one_key_may_not_hold_on_the_same_day(
    tmp_path: Path, rows: list[tuple[str, str, str]], line: int | None
) -> None:
    table = read_table(written(tmp_path, HEADER + "".join(rule(*row) for row in rows)), Rule)

    def check() -> None:
        no_overlap(table, lambda row: row.code, lambda row: (row.valid_from, row.valid_to))

    if line is None:
        check()
    else:
        with pytest.raises(PolicyError) as refused:
            check()
        assert refused.value.line == line


def test_a_key_stands_once(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, HEADER + ROW + ROW), Rule)
    unique(table, lambda row: (row.code, row.valid_to) if row is table.rows[0] else row.source)
    with pytest.raises(PolicyError, match=r":3: A1 stands already in line 2"):
        unique(table, lambda row: row.code)


def test_a_requirement_names_the_first_row_that_fails_it(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, HEADER + ROW + ROW.replace("A1", "Z9")), Rule)
    table.require(lambda row: row.limit == 3, "never")
    with pytest.raises(PolicyError, match=r":3: Z9 may take 3"):
        table.require(lambda row: row.code == "A1", "{code} may take {limit}")


def test_the_digest_follows_names_and_bytes_of_the_data_alone(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").write_text("one")
    (tmp_path / "deep" / "b.yaml").write_text("two")
    before = digest(tmp_path)
    (tmp_path / "loader.py").write_text("code")
    assert digest(tmp_path) == before

    (tmp_path / "a.csv").write_text("one ")
    changed = digest(tmp_path)
    (tmp_path / "a.csv").write_text("one")
    (tmp_path / "a.csv").rename(tmp_path / "c.csv")
    assert len({before, changed, digest(tmp_path)}) == 3


def test_a_column_type_without_a_reading_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Odd:
        code: complex

    with pytest.raises(TypeError, match="complex"):
        read_table(written(tmp_path, "code\n1\n"), Odd, required=())
